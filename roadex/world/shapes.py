"""Shapes in metres: polylines as arrays (n, 2), and rectangles that line up with the ground."""

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


def reach_along(line: FloatArray) -> FloatArray:
    """The distance (n,) of each point from the first one, along the line."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def beside(line: FloatArray, offset_m: float) -> FloatArray:
    """A line parallel to another, to its left for positive offsets (y up)."""
    if not offset_m:
        return line
    ways = np.diff(line, axis=0)
    ways /= np.maximum(np.hypot(*ways.T), 1e-9)[:, None]
    turns = np.vstack([ways[:1], ways[:-1] + ways[1:], ways[-1:]])
    turns /= np.maximum(np.hypot(*turns.T), 0.5)[:, None]
    return line + offset_m * np.column_stack([-turns[:, 1], turns[:, 0]])


def stretch(line: FloatArray, start_m: float, end_m: float) -> FloatArray:
    """The part of a line between two distances from its first point."""
    reach = reach_along(line)
    start_m, end_m = max(0.0, start_m), min(float(reach[-1]), end_m)
    inside = (reach > start_m) & (reach < end_m)
    where = np.concatenate([[start_m], reach[inside], [max(start_m, end_m)]])
    return points_at(line, where)


def points_at(line: FloatArray, where_m: FloatArray) -> FloatArray:
    """Points (m, 2) at distances (m,) from the first point."""
    reach = reach_along(line)
    columns = [np.interp(where_m, reach, line[:, axis]) for axis in (0, 1)]
    return np.column_stack(columns)


def dashes(line: FloatArray, length_m: float, period_m: float) -> list[FloatArray]:
    """Stretches of a line, one in every period."""
    total = float(reach_along(line)[-1])
    starts = np.arange(0.0, max(total - length_m, 0.0), period_m)
    return [stretch(line, start, start + length_m) for start in starts.tolist()]


def wander(
    rng: np.random.Generator,
    start: FloatArray,
    heading: float,
    length_m: float,
    turn: float,
    step_m: float = 6.0,
) -> FloatArray:
    """A smoothly winding line (n, 2) from a point; `turn` is its curvature's size in rad/m."""
    count = max(3, int(length_m / step_m))
    drift = np.convolve(rng.normal(0, 1, count + 16), np.hanning(17) / 2.9, mode="valid")[:count]
    drift = drift - 0.6 * drift.mean()
    angles = heading + np.cumsum(drift) * turn * step_m
    steps = step_m * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.vstack([start, start + np.cumsum(steps, axis=0)])


def through(
    rng: np.random.Generator, side_m: float, heading: float, turn: float, offset: float = 0.22
) -> FloatArray:
    """A line right across the tile and beyond, past a point near its centre."""
    middle = side_m / 2 + rng.uniform(-offset, offset, size=2) * side_m
    reach = side_m * 0.85 + 80
    ahead = wander(rng, middle, heading, reach, turn)
    back = wander(rng, middle, heading + np.pi, reach, turn)
    return np.vstack([back[:0:-1], ahead])
