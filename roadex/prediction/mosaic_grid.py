"""One grid for many georeferenced images, and where each of them lies on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roadex.errors import RoadexError
from roadex.geo.crs import WGS84, is_metric, parse_crs, utm_zone
from roadex.geo.grid import Georeference
from roadex.prediction.slices import common
from roadex.rasters.remote import Source

# By this share of a pixel images may be off a common grid and still be on it.
_ALIGNED = 0.02
# Pixels of the grid per pixel of the images from which on these lie far apart.
_MOST_EMPTY = 1000
_LARGE = 10**9


@dataclass(frozen=True)
class Image:
    """A georeferenced image: its file, colours and own grid."""

    path: Source
    numbers: tuple[int, ...]
    grid: Georeference


@dataclass(frozen=True)
class Place:
    """An image on the grid of a mosaic.

    Attributes:
        numbers: of its bands that are read.
        rows, columns: of the grid, that it covers.
        whole: its own rows and columns, which may reach beyond the grid.
        exact: whether its pixels are pixels of the grid.
    """

    path: Source
    numbers: tuple[int, ...]
    rows: slice
    columns: slice
    whole: tuple[slice, slice]
    exact: bool


def common_grid(images: Sequence[Image], crs: str | None) -> Georeference:
    """The grid of a mosaic: that of the images where they share one, else of their finest pixels.

    Args:
        crs: the system that is wanted; None: theirs where it is one and counts in metres, or their
            pixels fit together, else the UTM zone that most of them lie in.

    Raises:
        RoadexError: they lie so far apart that a mosaic would be empty.
    """
    system = _system(images, crs)
    step = min((_step(image.grid, system) for image in images), key=lambda size: size[0])
    boxes = np.array([_box(image.grid, system) for image in images])
    left, bottom = boxes[:, :2].min(axis=0)
    right, top = boxes[:, 2:].max(axis=0)
    shape = _pixels(top - bottom, step[1]), _pixels(right - left, step[0])
    own = sum(image.grid.shape[0] * image.grid.shape[1] for image in images)
    if shape[0] * shape[1] > max(_LARGE, _MOST_EMPTY * own):
        raise RoadexError(
            f"mosaic=true: the images lie so far apart that it would have {shape[1]}x{shape[0]} "
            "pixels, nearly all empty: leave it out"
        )
    return Georeference(system, (float(left), float(top)), (step[0], -step[1]), shape)


def placed(images: Sequence[Image], grid: Georeference) -> list[Place]:
    """Where the images lie on a grid, in their order; those beside it are left out."""
    found = [_place(image, grid) for image in images]
    return [place for place in found if place is not None]


def cropped(grid: Georeference, bounds: tuple[float, float, float, float]) -> Georeference | None:
    """The part of a grid that touches a box (left, bottom, right, top); None where none does."""
    (dx, dy), (x, y) = grid.step, grid.corner
    left, right = (np.floor((bounds[0] - x) / dx), np.ceil((bounds[2] - x) / dx))
    top, bottom = (np.floor((bounds[3] - y) / dy), np.ceil((bounds[1] - y) / dy))
    left, top = max(0, int(left)), max(0, int(top))
    right, bottom = min(grid.shape[1], int(right)), min(grid.shape[0], int(bottom))
    if left >= right or top >= bottom:
        return None
    return Georeference(
        grid.crs, (x + left * dx, y + top * dy), grid.step, (bottom - top, right - left)
    )


def _system(images: Sequence[Image], wanted: str | None) -> str:
    if wanted is not None:
        if not is_metric(parse_crs(wanted)):
            raise RoadexError(f"crs={wanted}: name a system that counts in metres")
        return wanted
    first = images[0].grid
    one = {image.grid.crs for image in images} == {first.crs}
    if one and (is_metric(parse_crs(first.crs)) or all(_fits(i.grid, first) for i in images)):
        return first.crs
    areas: Counter[str] = Counter()
    for image in images:
        corners = image.grid.outline(WGS84)
        across, down = image.grid.pixel_metres()
        areas[utm_zone(corners)] += int(across * down * image.grid.shape[0] * image.grid.shape[1])
    return areas.most_common(1)[0][0]


def _step(grid: Georeference, system: str) -> tuple[float, float]:
    """Width and height of a pixel in a system."""
    if grid.crs == system:
        return abs(grid.step[0]), abs(grid.step[1])
    side = min(grid.pixel_metres())
    return side, side


def _fits(grid: Georeference, other: Georeference) -> bool:
    """Whether pixels of one grid are pixels of another."""
    steps = np.array(grid.step), np.array(other.step)
    if grid.crs != other.crs or grid.step[1] > 0 or grid.step[0] < 0:
        return False
    drift = np.abs(steps[0] - steps[1]) / np.abs(steps[1]) * max(grid.shape)
    shift = (np.array(grid.corner) - np.array(other.corner)) / steps[1]
    return bool((drift < _ALIGNED).all() and (np.abs(shift - shift.round()) < _ALIGNED).all())


def _place(image: Image, grid: Georeference) -> Place | None:
    exact = _fits(image.grid, grid)
    (dx, dy), (x, y) = grid.step, grid.corner
    left, bottom, right, top = _box(image.grid, grid.crs)
    if exact:
        first = round((left - x) / dx), round((top - y) / dy)
        columns = slice(first[0], first[0] + image.grid.shape[1])
        rows = slice(first[1], first[1] + image.grid.shape[0])
    else:
        columns = slice(int(np.floor((left - x) / dx)), int(np.ceil((right - x) / dx)))
        rows = slice(int(np.floor((top - y) / dy)), int(np.ceil((bottom - y) / dy)))
    seen = common(rows, slice(0, grid.shape[0])), common(columns, slice(0, grid.shape[1]))
    if seen[0] is None or seen[1] is None:
        return None
    whole = rows, columns
    return Place(image.path, image.numbers, seen[0], seen[1], whole, exact and seen == whole)


def _pixels(length: float, step: float) -> int:
    return max(1, int(np.ceil(length / step - _ALIGNED)))


def _box(grid: Georeference, system: str) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a grid in a system."""
    points = grid.outline(system)
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    return float(left), float(bottom), float(right), float(top)
