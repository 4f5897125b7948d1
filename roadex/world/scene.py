"""A tile while it is being painted, and which of its ground is taken."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadex.config.world import WorldSettings
from roadex.world.character import Character
from roadex.world.frame import Canvas, FloatArray, Frame, Sheet, polygons_of
from roadex.world.plan import Plan
from roadex.world.texture import Colour, TextureBank, extent


@dataclass
class Scene:
    """What the painters of a tile share.

    `canvas` (H, W, 3) holds the colours that surfaces have in full light and `heights` (H, W) how
    many metres they stand above the ground. Painters change both in place.
    """

    settings: WorldSettings
    character: Character
    plan: Plan
    frame: Frame
    bank: TextureBank
    ground: Occupancy
    canvas: Canvas
    heights: Sheet


def overlay(scene: Scene, top: NDArray[np.float32], alpha: Sheet) -> None:
    """Lay colours (H, W, 3) over the canvas as far as alpha (H, W) covers it."""
    where = extent(alpha)
    if alpha[where].size:
        mixed = scene.canvas[where].astype(np.float32)
        mixed += (top[where] - mixed) * alpha[where][..., None]
        scene.canvas[where] = cv2.convertScaleAbs(mixed)


def lay(
    scene: Scene, alpha: Sheet, colour: Colour, strength: float = 1.0, rough: float = 1.0
) -> None:
    """Lay one material over the canvas as far as alpha (H, W) covers it."""
    where = extent(alpha)
    if alpha[where].size:
        tone = 1 + np.float32(0.065 * rough) * scene.bank.field("rough", where)
        mixed = scene.canvas[where].astype(np.float32)
        top = np.asarray(colour, np.float32) * tone[..., None]
        mixed += (top - mixed) * (np.float32(strength) * alpha[where])[..., None]
        scene.canvas[where] = cv2.convertScaleAbs(mixed)


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
