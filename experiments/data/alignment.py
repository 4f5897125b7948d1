"""How many labels of a dataset are suspected, as they are and when they are moved.

Usage: python experiments/data/alignment.py dataset=KIND [dataset.KEY=VALUE ...]

Every tile is read from its raw files and measured as by `inspect`. The label is moved by each
distance in one direction drawn for the tile (seed 0); what comes in from outside is ignored.
Contrast, where there are more than 8 bits, is that of all tiles.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray

from roadex.command.frame import typed
from roadex.config.dataset import StretchConfig
from roadex.config.paths import config_dir
from roadex.data.prepared import IGNORE
from roadex.data.sources import open_source
from roadex.data.sources.base import Source
from roadex.data.sources.files import FileSource
from roadex.data.stretch import calibrate
from roadex.inspection.alignment import alignment
from roadex.inspection.survey import CLEARLY

DISTANCES_M = (0.0, 6.0, 8.0, 10.0, 12.0)


def main(overrides: list[str]) -> None:
    """Print one row: tiles measured of all, and tiles suspected at each distance."""
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        config = typed(compose("prepare", overrides)).dataset
    source = open_source(config)
    names = _names(source)
    source = _with_contrast(source, names)
    rng = np.random.default_rng(0)
    gains = [_gains(source, name, config.gsd, rng.uniform(0, 2 * np.pi)) for name in names]
    measured = np.array([row for row in gains if row is not None])
    print(f"measured {len(measured)} of {len(names)}")
    for place, metres in enumerate(DISTANCES_M):
        count = int((measured[:, place] > CLEARLY).sum()) if len(measured) else 0
        print(f"moved by {metres:2.0f} m: {count} suspected")


def _names(source: Source) -> list[str]:
    """All tiles, also of a folder with too few for three splits."""
    if isinstance(source, FileSource):
        return sorted(source.entries)
    return sorted(name for names in source.splits().values() for name in names)


def _with_contrast(source: Source, names: list[str]) -> Source:
    found = ((source.group(name), source.histogram(name)) for name in names)
    counted = [(group, counts) for group, counts in found if counts is not None]
    return source.calibrated(calibrate(counted, StretchConfig())) if counted else source


def _gains(source: Source, name: str, gsd: float, direction: float) -> list[float] | None:
    """How much better the best move fits, at each distance; None for a tile not measured.

    A label of which too little stays within its tile when moved is not suspected.
    """
    tile = source.read(name)
    masks = [_moved(tile.mask, metres / gsd, direction) for metres in DISTANCES_M]
    found = [alignment(tile.image, mask, gsd) for mask in masks]
    return [each.gain if each else 0.0 for each in found] if found[0] else None


def _moved(mask: NDArray[np.uint8], pixels: float, direction: float) -> NDArray[np.uint8]:
    right, down = (round(pixels * part) for part in (np.cos(direction), np.sin(direction)))
    motion = np.array([[1, 0, right], [0, 1, down]], np.float64)
    size = mask.shape[1], mask.shape[0]
    return np.asarray(
        cv2.warpAffine(mask, motion, size, flags=cv2.INTER_NEAREST, borderValue=IGNORE), np.uint8
    )


if __name__ == "__main__":
    main(sys.argv[1:])
