"""Memory and time of `predict` on images of two sizes, as ratios inside one run.

The images are VRTs that repeat a tile of wavy streets, so that they need no disk, and the model
is a stand-in that sees bright pixels, so that everything else is measured.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from roadex.benchmarks._settings import parse_settings
from roadex.config.inference import InferenceConfig
from roadex.config.limits import bounded
from roadex.config.predict import PredictConfig
from roadex.engine.inference import Predictor
from roadex.geo.grid import Georeference
from roadex.prediction import batch
from roadex.prediction.pipeline import LoadedModel, load_model
from roadex.rasters.rasters import write_raster

_GSD, _CRS = 0.5, "EPSG:32632"
_ROAD_PX, _SPACING_PX, _TILE = 14, 350, 2800
_DARK, _BRIGHT = 60, 200
_KIB = 1024 if sys.platform != "darwin" else 1
STAND_IN, SHIPPED = "stand-in", "shipped"


@dataclass
class Settings:
    """The benchmark's settings."""

    # Side of the smaller image in pixels; that of the other is twice as long.
    size: int = bounded(5000, least=1024)
    # Side of the blocks that are made into roads, and who does the work.
    block_px: int = bounded(2048, least=1024)
    cluster: str = "none"
    workers: int = bounded(1, least=1)


def main(overrides: list[str]) -> None:
    """Predict an image and one of four times its area, each in a process of its own.

    Settings: size=5000 and block_px=2048 (pixels), cluster=none, workers=1.
    """
    settings = parse_settings(Settings, overrides)
    small, large = (measured(side, settings) for side in (settings.size, 2 * settings.size))
    print(f"{'side':>8s} {'km2':>8s} {'roads':>8s} {'peak GiB':>9s} {'seconds':>8s}")
    for found in (small, large):
        peak = max(found["peak_bytes"], found["worker_bytes"]) / 2**30
        area, roads = found["area_km2"], found["roads"]
        print(f"{found['side']:8d} {area:8.1f} {roads:8d} {peak:9.2f} {found['seconds']:8.1f}")
    memory = large["peak_bytes"] / small["peak_bytes"]
    spent = large["seconds"] / small["seconds"]
    print(f"four times the area takes {memory:.2f} times the memory and {spent:.2f} times the time")


def measured(side: int, settings: Settings, model: str = STAND_IN) -> dict[str, Any]:
    """The summary of an image of that side, with `peak_bytes`, in a process of its own.

    `worker_bytes` is the peak of the largest of that process's own.

    Args:
        model: `STAND_IN`, or `SHIPPED` for the weights that come with roadex.
    """
    with tempfile.TemporaryDirectory() as folder:
        values = (side, folder, settings.block_px, settings.cluster, settings.workers, model)
        command = [sys.executable, "-m", __name__, *map(str, values)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


class BrightRoads(nn.Module):
    """Road where the pixel is bright."""

    def forward(self, image: Tensor) -> dict[str, list[Tensor]]:
        """Logits of no road and of road."""
        value = 4 * image.mean(dim=1, keepdim=True)
        return {"segmentation": [torch.cat([-value, value], dim=1)]}


def _stand_in() -> LoadedModel:
    device = torch.device("cpu")
    settings = InferenceConfig(window=1024, overlap=128)
    predictor = Predictor(BrightRoads(), device, [0.5] * 3, [0.25] * 3, settings)
    return LoadedModel(predictor, "stand-in", "stand-in", _GSD, 0.5, {}, 0)


def write_town(path: Path, side: int, gsd: float = _GSD) -> None:
    """A VRT of `side` pixels a side that repeats a tile, which is written beside it."""
    tile = path.with_name("tile.tif")
    corner, step = (5e5, 5e6), (gsd, -gsd)
    write_raster(tile, _streets(), Georeference(_CRS, corner, step, (_TILE, _TILE)))
    places = [(x, y) for y in range(0, side, _TILE) for x in range(0, side, _TILE)]
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{band}"><ColorInterp>{colour}</ColorInterp>'
        + "".join(_source(tile.name, band, x, y) for x, y in places)
        + "</VRTRasterBand>"
        for band, colour in enumerate(("Red", "Green", "Blue"), start=1)
    )
    path.write_text(
        f'<VRTDataset rasterXSize="{side}" rasterYSize="{side}"><SRS>{_CRS}</SRS><GeoTransform>'
        f"{corner[0]}, {step[0]}, 0, {corner[1]}, 0, {step[1]}</GeoTransform>{bands}</VRTDataset>",
        encoding="utf-8",
    )


def _streets() -> Any:
    """An image (side, side, 3) of wavy streets that goes on where it begins, on every side."""
    noise = np.random.default_rng(0)
    image = noise.integers(_DARK - 30, _DARK + 30, (_TILE, _TILE, 3), np.uint8)
    columns, rows = np.arange(_TILE), np.arange(_TILE)[:, None]
    sway = 2 * np.pi / _TILE
    across = (columns + 40 * np.sin(rows * sway)) % _SPACING_PX < _ROAD_PX
    down = (rows + 40 * np.sin(columns * sway)) % _SPACING_PX < _ROAD_PX
    image[across | down] = _BRIGHT
    return image


def _source(name: str, band: int, x: int, y: int) -> str:
    size = f'xSize="{_TILE}" ySize="{_TILE}"'
    return (
        f'<SimpleSource><SourceFilename relativeToVRT="1" shared="1">{name}</SourceFilename>'
        f'<SourceBand>{band}</SourceBand><SrcRect xOff="0" yOff="0" {size}/>'
        f'<DstRect xOff="{x}" yOff="{y}" {size}/></SimpleSource>'
    )


def _measure(
    side: int, folder: Path, block_px: int, cluster: str, workers: int, weights: str
) -> None:
    """Predict an image in this process, and print its summary."""
    image = folder / "town.vrt"
    model = _stand_in() if weights == STAND_IN else load_model(None)
    write_town(image, side, model.gsd)
    config = PredictConfig(
        input=str(image),
        out=str(folder / "out"),
        block_px=block_px,
        cluster=cluster,
        workers=workers,
    )
    started, before = time.perf_counter(), time.process_time()
    with patch.object(batch, "load_model", lambda *_: model):
        failures, _ = batch.predict_all(config, lambda line: print(line, file=sys.stderr))
    assert not failures
    facts = {"side": side, "whole_seconds": time.perf_counter() - started}
    summary = json.loads((folder / "out" / "town.summary.json").read_text(encoding="utf-8"))
    # Of the children only workers are of interest.
    many = resource.RUSAGE_SELF if cluster == "none" else resource.RUSAGE_CHILDREN
    for name, who in (("peak", resource.RUSAGE_SELF), ("worker", many)):
        facts[f"{name}_bytes"] = resource.getrusage(who).ru_maxrss * _KIB
    used = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    facts["processor_seconds"] = sum(u.ru_utime + u.ru_stime for u in used) - before
    print(json.dumps({**summary, **facts}))


if __name__ == "__main__":
    _, _side, _folder, _block_px, _cluster, _workers, _weights = sys.argv
    _measure(int(_side), Path(_folder), int(_block_px), _cluster, int(_workers), _weights)
