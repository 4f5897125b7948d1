"""Paths of least cost through a window of a probability map."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.graph import MCP_Geometric

from roadex.config.graph import GapSettings
from roadex.graph.probability_maps import ProbabilityMaps
from roadex.graph.skeleton import Floats, Ints

_CELL_M = 1.0  # the size of a cell, less than the width of any road
_METRE = 0.02  # the cost of a metre where a road is certain: the shorter of equal paths is taken
_NEAR_M = 2.5  # this near to the start directions do not count


class LeastCost:
    """The cheapest paths from a point into the sector ahead of it.

    A metre costs -ln(probability of road there): the cost of a path is the negative logarithm of
    the probability that all of it is road, were its metres independent.
    """

    def __init__(
        self, maps: ProbabilityMaps, start: Floats, ahead: Floats, settings: GapSettings
    ) -> None:
        """Find all paths from `start`, x, y in metres, around the direction `ahead`, a unit vector.

        They stay within the reach and the sector of the settings, and cost no more than allowed.
        """
        window = maps.around(start, settings.reach_m)
        road = maps.of_road(window)
        sides = np.array(road.shape) * maps.pixel[::-1]
        self._shape = np.maximum(np.rint(sides / _CELL_M).astype(np.int64), 1)
        self._cell = (sides / self._shape)[::-1]
        self._origin = np.array([window[1].start, window[0].start]) * maps.pixel
        rows, columns = self._shape.tolist()
        cells = cv2.resize(road, (columns, rows), interpolation=cv2.INTER_AREA)
        costs = _METRE - np.log(np.maximum(cells, settings.least_probability).astype(np.float64))
        steps = self._centres() - start
        costs[~in_sector(steps, ahead, settings.half_angle_deg, _NEAR_M)] = np.inf
        self._search = MCP_Geometric(costs, sampling=tuple(self._cell[::-1]))
        self._costs: Floats = self._search.find_costs(
            self._cells(start[None]).tolist(), max_cumulative_cost=settings.max_cost
        )[0]

    def to(self, points: Floats) -> Floats:
        """The cost (n,) of the cheapest path to each point (n, 2); infinite where there is none."""
        rows, columns = self._cells(points).T
        result: Floats = self._costs[rows, columns]
        return result

    def path(self, point: Floats) -> Floats:
        """The cheapest path (k, 2) to a point, in metres, between cell centres."""
        cells = np.array(self._search.traceback(tuple(self._cells(point[None])[0].tolist())))
        result: Floats = self._origin + (cells[:, ::-1] + 0.5) * self._cell
        return result

    def _cells(self, points: Floats) -> Ints:
        """The cells (n, 2), row and column, that points lie in or next to."""
        cells = np.floor((points - self._origin) / self._cell).astype(np.int64)
        result: Ints = cells[:, ::-1].clip(0, self._shape - 1)
        return result

    def _centres(self) -> Floats:
        """The cells' centres (rows, columns, 2) in metres."""
        rows, columns = np.indices(tuple(self._shape.tolist()))
        result: Floats = self._origin + (np.stack([columns, rows], axis=-1) + 0.5) * self._cell
        return result


def in_sector(
    steps: Floats, ahead: Floats, half_angle_deg: float, near: float = 0.0
) -> NDArray[np.bool_]:
    """Which vectors (..., 2) lie within an angle of a unit vector, or are shorter than `near`."""
    along = steps @ ahead
    length = np.hypot(steps[..., 0], steps[..., 1])
    result: NDArray[np.bool_] = (along >= np.cos(np.radians(half_angle_deg)) * length) | (
        length < near
    )
    return result
