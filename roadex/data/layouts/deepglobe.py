"""DeepGlobe: train/ID_sat.jpg with train/ID_mask.png, whose three channels are equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roadex.data.layouts.base import Layout
from roadex.rasters.pictures import write_image
from roadex.world import SyntheticTile


def _label(index: int, out: Path) -> Path:
    return out / "train" / f"{index}_mask.png"


def _write(tile: SyntheticTile, index: int, out: Path) -> None:
    write_image(out / "train" / f"{index}_sat.jpg", tile.image)
    write_image(_label(index, out), np.repeat(tile.mask[..., None] * np.uint8(255), 3, axis=2))


DEEPGLOBE = Layout(_write, _label, size_px=1024, gsd=0.5)
