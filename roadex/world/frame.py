"""From metres to pixels: the one place that knows where a point of the world falls in a tile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

FloatArray = NDArray[np.float64]
Sheet = NDArray[np.float32]  # (H, W)
Canvas = NDArray[np.uint8]  # (H, W, 3), RGB

# OpenCV takes fixed-point coordinates: this many binary digits after the point.
SHIFT = 5


@dataclass(frozen=True)
class Frame:
    """A square tile of `size_px` pixels of `gsd` metres; x runs right and y down from a corner."""

    size_px: int
    gsd: float

    @property
    def side_m(self) -> float:
        """The side of the tile in metres."""
        return self.size_px * self.gsd

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.size_px, self.size_px

    def fixed(self, points: ArrayLike, scale: int = 1) -> NDArray[np.int32]:
        """Points (n, 2), x, y in metres, in OpenCV's fixed-point pixels of a `scale` times finer
        tile. Integers are pixel centres there, hence the half.
        """
        pixels = np.asarray(points, dtype=np.float64) * (scale / self.gsd) - 0.5
        return np.round(pixels * (1 << SHIFT)).astype(np.int32)

    def pixels(self, metres: float) -> int:
        """A length in whole pixels, one at least."""
        return max(1, round(metres / self.gsd))


def coverage(shapes: Iterable[BaseGeometry], frame: Frame, scale: int = 2) -> Sheet:
    """How much of each pixel polygons cover, in 0..1; overlaps count once.

    Drawn on a `scale` times finer sheet: OpenCV's own anti-aliasing widens what it draws.
    """
    polygons = polygons_of(shapes)
    alpha = np.zeros(frame.shape, dtype=np.float32)
    left, top, right, bottom = _pixel_bounds(polygons, frame)
    if left >= right or top >= bottom:
        return alpha
    sheet = np.zeros(((bottom - top) * scale, (right - left) * scale), dtype=np.uint8)
    first = np.array([left, top]) * (scale << SHIFT)
    for polygon in polygons:
        rings = [ring - first for ring in _rings(polygon, frame, scale)]
        cv2.fillPoly(sheet, rings, 255, cv2.LINE_8, SHIFT)
    small = cv2.resize(sheet, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    alpha[top:bottom, left:right] = small * np.float32(1 / 255)
    return alpha


def _pixel_bounds(polygons: list[shapely.Polygon], frame: Frame) -> tuple[int, int, int, int]:
    """First and last column and row that polygons reach, within the tile: x, y, x, y."""
    if not polygons:
        return 0, 0, 0, 0
    reach = shapely.total_bounds(np.array(polygons)) / frame.gsd + np.array([-1, -1, 2, 2])
    left, top, right, bottom = np.clip(reach.astype(int), 0, frame.size_px).tolist()
    return left, top, right, bottom


def polygons_of(shapes: Iterable[BaseGeometry]) -> list[shapely.Polygon]:
    """The non-empty polygons within some geometries."""
    parts = shapely.get_parts(np.asarray(list(shapes), dtype=object))
    parts = shapely.get_parts(parts)  # collections may hold multi-polygons
    return [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]


def fill_shape(
    canvas: NDArray[Any], shape: BaseGeometry, colour: Sequence[float] | float, frame: Frame
) -> None:
    """Fill polygons; smooth edges on 8-bit canvases."""
    kind = cv2.LINE_AA if canvas.dtype == np.uint8 else cv2.LINE_8
    for polygon in polygons_of([shape]):
        cv2.fillPoly(canvas, _rings(polygon, frame, 1), colour, kind, SHIFT)


def fill_corners(
    canvas: NDArray[Any], corners: ArrayLike, colour: Sequence[float] | float, frame: Frame
) -> None:
    """Fill one convex polygon, corners (n, 2) in metres; smooth edges on 8-bit canvases."""
    kind = cv2.LINE_AA if canvas.dtype == np.uint8 else cv2.LINE_8
    cv2.fillConvexPoly(canvas, frame.fixed(corners), colour, kind, SHIFT)


def draw_lines(
    canvas: NDArray[Any],
    lines: Iterable[ArrayLike],
    colour: Sequence[float] | float,
    frame: Frame,
    width_m: float,
) -> None:
    """Draw polylines (n, 2) in metres, at least one pixel wide."""
    points = [frame.fixed(line) for line in lines]
    cv2.polylines(canvas, points, False, colour, frame.pixels(width_m), cv2.LINE_AA, SHIFT)


def _rings(polygon: shapely.Polygon, frame: Frame, scale: int) -> list[NDArray[np.int32]]:
    rings = [polygon.exterior, *polygon.interiors]
    return [frame.fixed(shapely.get_coordinates(ring), scale) for ring in rings]
