"""A model's probabilities of a road, a dead end and a junction at places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.graph.network import walked_distances
from roadex.graph.places import points_at
from roadex.graph.skeleton import Floats

Probabilities = NDArray[np.uint8] | NDArray[np.floating[Any]]
Window = tuple[slice, slice]
Map = NDArray[np.float32]

STEPS = 256  # probabilities are kept in 1/256, rounded down
DEAD_END, JUNCTION = [1], [3, 4, 5, 6, 7, 8, 9]  # classes of the connectivity map
_LEAST_ROAD = np.float32(0.25)
_BLUR_M = 3.0  # half as wide as a disc of that map


@dataclass(frozen=True)
class ProbabilityMaps:
    """Probabilities read in small windows, so that the maps may be memmaps of any size.

    Where all are 0 there are no data, and no road.

    Attributes:
        road: (H, W), uint8 in 1/256 or float in 0..1.
        connectivity: (K, H, W) likewise, the number of directions in which the road leaves a pixel.
        pixel: metres per pixel along x and y.
    """

    road: Probabilities
    connectivity: Probabilities
    pixel: tuple[float, float]

    def around(self, point: Floats, reach_m: float) -> Window:
        """Rows and columns within `reach_m` of a point (x, y) in metres, never empty."""
        rows, columns = self.road.shape
        last = np.array([columns - 1, rows - 1])
        low = np.floor((point - reach_m) / self.pixel).clip(0, last)
        high = np.floor((point + reach_m) / self.pixel).clip(0, last) + 1
        (left, top), (right, bottom) = low.astype(int).tolist(), high.astype(int).tolist()
        return slice(top, bottom), slice(left, right)

    def of_road(self, window: Window) -> Map:
        """The probability of road: the larger one of both heads."""
        line = _unit(self.connectivity[1:, window[0], window[1]]).sum(axis=0)
        result: Map = np.maximum(_unit(self.road[window]), line)
        return result

    def shares(self, window: Window, classes: list[int]) -> Map:
        """The probability of some classes among all classes on roads.

        Where road is unlikely, the sum counts as `_LEAST_ROAD`, so that the share is low.
        """
        patch = _unit(self.connectivity[1:, window[0], window[1]])
        size = tuple(max(round(_BLUR_M / side), 1) for side in self.pixel)
        on_roads = [cv2.blur(plane, size) for plane in patch]
        wanted = [on_roads[i - 1] for i in classes if i <= len(on_roads)]
        share: Map = sum(wanted) / np.maximum(sum(on_roads), _LEAST_ROAD)
        return share

    def chance(self, point: Floats, classes: list[int], reach_m: float) -> float:
        """The greatest of these shares within about `reach_m` of a point (x, y) in metres."""
        return float(self.shares(self.around(point, reach_m), classes).max())


def to_probability(levels: NDArray[np.uint8]) -> Map:
    """Probabilities kept in 1/256 as numbers from 0 to 1, in the middle of their step."""
    return (levels.astype(np.float32) + np.float32(0.5)) / np.float32(STEPS)


def mean_probability(line: Floats, road: NDArray[np.uint8], pixel: tuple[float, float]) -> float:
    """The mean along a line (n, 2) of a probability map (H, W) in 1/256, read at every pixel.

    Args:
        line: in metres in the frame of the map.
        pixel: metres per pixel along x and y.
    """
    places = line / pixel
    walked = walked_distances(places)
    stops = np.linspace(0, walked[-1], int(np.ceil(walked[-1])) + 1)
    points = points_at(places, walked, stops).astype(np.int64)
    columns, rows = points[:, 0].clip(0, road.shape[1] - 1), points[:, 1].clip(0, road.shape[0] - 1)
    return float(to_probability(road[rows, columns]).mean())


def _unit(values: Probabilities) -> Map:
    """Probabilities in 0..1."""
    scale = 1 / STEPS if values.dtype == np.uint8 else 1.0
    return values.astype(np.float32) * np.float32(scale)
