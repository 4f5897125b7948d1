"""A page of two datasets side by side, at one scale, to see whether they look alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from roadex.data.prepared import PreparedDataset
from roadex.data.sources.files import images_below
from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.inspection.gallery import Card, write_page
from roadex.plots.overlays import Picture
from roadex.rasters.pictures import read_image

_SIDE_M = 100.0  # of a crop, if the tile is large enough
# What is compared of two sets of pictures, in grey levels.
_MEASURES = (
    "brightness (mean)",
    "contrast (deviation)",
    "colour (largest less smallest band)",
    "fine detail (difference to a blur of 1 px)",
    "coarse detail (between blurs of 1 and 8 px)",
)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Others:
    """Images of another dataset, and their metres per pixel."""

    files: list[Path]
    gsd: float


def others(folder: str, gsd: float | None) -> Others:
    """The images below a folder.

    Raises:
        RoadexError: there are none, or their metres per pixel are not given.
    """
    if gsd is None:
        raise RoadexError("beside_gsd is needed with beside: add beside_gsd=METRES_PER_PIXEL")
    files = images_below(user_path(folder))
    if not files:
        raise RoadexError(f"beside={folder}: there is no image in that folder or below it")
    return Others(files, gsd)


def write_beside(
    path: Path, dataset: PreparedDataset, beside: Others, pairs: int, width: int
) -> None:
    """Write a page of pairs of crops, at the coarser pixels of the two, and their measures.

    Raises:
        RoadexError: an image cannot be read.
    """
    scale = max(dataset.gsd, beside.gsd)
    names = _spread(sorted(n for split in dataset.splits.values() for n in split), pairs)
    files = _spread(beside.files, pairs)
    ours = [_crop(dataset.tile(name).image, dataset.gsd, scale) for name in names]
    theirs = [_crop(read_image(file), beside.gsd, scale) for file in files]
    cards = [
        Card(f"{name} | {file.name}", "", [], {"dataset": our, "beside": their})
        for name, file, our, their in zip(names, files, ours, theirs, strict=False)
    ]
    summary = {"metres per pixel": scale, "crops": f"{len(ours)} | {len(theirs)}"}
    values = (np.mean([measures(crop) for crop in crops], axis=0) for crops in (ours, theirs))
    for what, our_value, their_value in zip(_MEASURES, *values, strict=True):
        summary[what] = f"{our_value:.1f} | {their_value:.1f}"
    write_page(path, "Dataset | beside", summary, cards, width)


def measures(picture: Picture) -> list[float]:
    """The values of `_MEASURES` for a picture (H, W, 3)."""
    levels = picture.astype(np.float32)
    grey = np.asarray(levels.mean(axis=2))
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.0, 8.0))
    spread = levels.max(axis=2) - levels.min(axis=2)
    details = [np.abs(grey - fine).mean(), np.abs(fine - coarse).mean()]
    return [float(value) for value in (grey.mean(), grey.std(), spread.mean(), *details)]


def _spread(items: list[Item], count: int) -> list[Item]:
    """At most `count` items, evenly from a list."""
    chosen = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[index] for index in chosen]


def _crop(image: Picture, gsd: float, scale: float) -> Picture:
    """The middle of an image, `_SIDE_M` large or all there is, with pixels of `scale` metres."""
    side = min(*image.shape[:2], round(_SIDE_M / gsd))
    top, left = ((length - side) // 2 for length in image.shape[:2])
    middle = np.ascontiguousarray(image[top : top + side, left : left + side])
    pixels = max(1, round(side * gsd / scale))
    resized = cv2.resize(middle, (pixels, pixels), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)
