"""Which ground is taken, so that things do not stand on each other."""

from __future__ import annotations

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadex.world.frame import FloatArray, polygons_of

_PROBE = np.linspace(0, 1, 7)
_PROBE_UV = np.array([(a, b) for a in _PROBE for b in _PROBE])


class Occupancy:
    """A map of square metres over the tile and its margin."""

    def __init__(self, domain: shapely.Polygon) -> None:
        left, top, right, bottom = domain.bounds
        self._origin = np.array([left, top])
        self._taken = np.zeros((int(bottom - top) + 1, int(right - left) + 1), dtype=np.uint8)

    def take_shape(self, shape: BaseGeometry) -> None:
        """Take all ground that polygons touch."""
        for polygon in polygons_of([shape]):
            rings = [polygon.exterior, *polygon.interiors]
            points = [self._cells(shapely.get_coordinates(ring)) for ring in rings]
            cv2.fillPoly(self._taken, points, 1)

    def try_quad(self, corners: FloatArray) -> bool:
        """Take the ground of a parallelogram, corners (4, 2) in metres, if all of it is free."""
        edges = np.stack([corners[1] - corners[0], corners[3] - corners[0]])
        columns, rows = self._cells(corners[0] + _PROBE_UV @ edges).T
        height, width = self._taken.shape
        if columns.min() < 0 or rows.min() < 0 or columns.max() >= width or rows.max() >= height:
            return False
        if self._taken[rows, columns].any():
            return False
        cv2.fillConvexPoly(self._taken, self._cells(corners), 1)
        return True

    def free(self, points: FloatArray) -> NDArray[np.bool_]:
        """Whether the ground at points (n, 2) is free; outside the map it is not."""
        columns, rows = self._cells(points).T
        height, width = self._taken.shape
        inside = (columns >= 0) & (rows >= 0) & (columns < width) & (rows < height)
        free = np.zeros(len(points), dtype=bool)
        free[inside] = self._taken[rows[inside], columns[inside]] == 0
        return free

    def _cells(self, points: FloatArray) -> NDArray[np.int32]:
        result: NDArray[np.int32] = np.floor(points - self._origin).astype(np.int32)
        return result
