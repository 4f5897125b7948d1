"""Predicts a large image with the stand-in network and prints how much memory that took.

A process of its own, since a process cannot lower its peak: python -m tests.support.big_image
SIDE_PX FOLDER.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import rasterio

from roadex.config.predict import PredictConfig
from roadex.prediction.batch import predict_all
from tests.support.stand_ins import BRIGHT, DARK, UTM, bright_model

GSD = 0.5
_BLOCK, _ROAD_PX, _SPACING_PX = 512, 14, 350


def write_town(path: Path, side: int) -> None:
    """A GeoTIFF of a town of wavy streets, written a row of blocks at a time."""
    noise = np.random.default_rng(0).integers(DARK - 30, DARK + 30, (_BLOCK, side, 3), np.uint8)
    profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "tiled": True, "compress": "lzw"}
    place = rasterio.Affine(GSD, 0, 500_000, 0, -GSD, 5_000_000)
    profile |= {"crs": UTM, "transform": place, "blockxsize": _BLOCK, "blockysize": _BLOCK}
    columns = np.arange(side)
    with rasterio.open(path, "w", height=side, width=side, **profile) as file:
        for top in range(0, side, _BLOCK):
            rows = np.arange(top, min(top + _BLOCK, side))[:, None]
            across = (columns + 40 * np.sin(rows / 500)) % _SPACING_PX < _ROAD_PX
            down = (rows + 40 * np.sin(columns / 700)) % _SPACING_PX < _ROAD_PX
            block = noise[: len(rows)].copy()
            block[across | down] = BRIGHT
            window = rasterio.windows.Window(0, top, side, len(rows))
            file.write(np.moveaxis(block, -1, 0), window=window)


def main(side: int, folder: Path) -> None:
    """Write, predict, and tell the peak memory in bytes and the seconds of each step."""
    image = folder / f"town{side}.tif"
    write_town(image, side)
    config = PredictConfig(input=str(image), out=str(folder / "out"))
    model = bright_model(GSD, window=1024, overlap=128)
    started = time.process_time()
    with patch("roadex.prediction.batch.load_model", lambda *_: model):
        failures, _ = predict_all(config, print)
    assert not failures
    summary = json.loads((folder / "out" / f"town{side}.summary.json").read_text())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds = time.process_time() - started
    print(json.dumps({"peak_bytes": peak, "processor_seconds": seconds, **summary}))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
