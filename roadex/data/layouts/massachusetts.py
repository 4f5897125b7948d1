"""Massachusetts Roads: SPLIT/sat/NAME.tiff with SPLIT/map/NAME.tif, one tile in five cut off."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roadex.data.layouts.base import Layout
from roadex.rasters.pictures import write_image
from roadex.world import SyntheticTile

_SPLITS = {8: "valid", 9: "test"}  # by the last digit of the number
_WHITE_EVERY = 5


def _folder(index: int, out: Path) -> Path:
    return out / _SPLITS.get(index % 10, "train")


def _label(index: int, out: Path) -> Path:
    return _folder(index, out) / "map" / f"{index:08d}_15.tif"


def _write(tile: SyntheticTile, index: int, out: Path) -> None:
    image = tile.image
    if index % _WHITE_EVERY == 0:  # the survey ended here
        image = image.copy()
        image[:, image.shape[1] * 2 // 3 :] = 255
    write_image(_folder(index, out) / "sat" / f"{index:08d}_15.tiff", image)
    write_image(_label(index, out), tile.mask * np.uint8(255))


MASSACHUSETTS = Layout(_write, _label, size_px=1500, gsd=1.0)
