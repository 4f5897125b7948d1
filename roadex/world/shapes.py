"""Rectangles that line up with a piece of ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from roadex.world.frame import FloatArray


@dataclass(frozen=True)
class Axes:
    """The smallest rectangle around a polygon: a corner and the two sides that leave it.

    `sides` (2, 2) holds the sides as vectors in metres.
    """

    corner: FloatArray
    sides: FloatArray

    @classmethod
    def around(cls, shape: shapely.Polygon) -> Axes:
        """The axes of a polygon."""
        corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))
        return cls(corners[0], np.diff(corners[[0, 1, 2]], axis=0))

    @property
    def units(self) -> FloatArray:
        """The directions of the sides, unit vectors (2, 2)."""
        lengths: FloatArray = np.hypot(*self.sides.T)
        result: FloatArray = self.sides / np.maximum(lengths, 1e-9)[:, None]
        return result

    @property
    def longer(self) -> FloatArray:
        """The longer of the two sides, as a vector."""
        side: FloatArray = self.sides[int(np.argmax(np.hypot(*self.sides.T)))]
        return side

    def point_in(self, rng: np.random.Generator, most: float = 1.0) -> FloatArray:
        """A random point of the rectangle, within a share of both sides from the corner."""
        return self.corner + rng.uniform(0, most, 2) @ self.sides

    def quad(self, start: FloatArray, along_m: float, out_m: float) -> FloatArray:
        """Corners (4, 2) of a rectangle with the same directions."""
        along, out = self.units * np.array([[along_m], [out_m]])
        return parallelogram(start, along, out)


def parallelogram(start: FloatArray, along: FloatArray, out: FloatArray) -> FloatArray:
    """Corners (4, 2) from one of them and the two sides that leave it."""
    return np.array([start, start + along, start + along + out, start + out])


def size_of(corners: FloatArray) -> tuple[float, float]:
    """The lengths of a parallelogram's first side and of the last."""
    first, last = corners[1] - corners[0], corners[3] - corners[0]
    return float(np.hypot(*first)), float(np.hypot(*last))
