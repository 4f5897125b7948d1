"""Roads as evenly spaced samples: places with a direction, which are matched as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.network import Step, oriented

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """All roads of a network, and the middles of the equal cells that they are cut into.

    Attributes:
        steps, lines, data: the roads, their polylines (k, 2) in metres, and their attributes.
        lengths: (m,) planar metres of each road.
        counts: (m,) cells of each road; the samples of a road follow each other.
        road: (n,) number of the road that a sample lies on.
        points: (n, 2) x, y in metres.
        headings: (n, 2) unit vectors along the road.
        cells: (n,) metres of road that a sample stands for.
    """

    steps: list[Step]
    lines: list[Floats]
    data: list[dict[str, Any]]
    lengths: Floats
    counts: Integers
    road: Integers
    points: Floats
    headings: Floats
    cells: Floats

    @cached_property
    def firsts(self) -> Integers:
        """Number of the first sample of each road (m,)."""
        return np.cumsum(self.counts) - self.counts


def sample(graph: nx.MultiGraph, spacing_m: float) -> Samples:
    """The samples of a network in metres, about `spacing_m` apart; every road has one."""
    steps = list(graph.edges(keys=True))
    lines = [np.asarray(oriented(graph, *step), dtype=np.float64) for step in steps]
    data = [graph.edges[step] for step in steps]
    if not lines:
        none, nowhere = np.zeros(0), np.zeros((0, 2))
        numbers = np.zeros(0, dtype=np.int64)
        return Samples([], [], [], none, numbers, numbers, nowhere, nowhere, none)
    walk = _Walk(lines)
    counts = np.maximum(1, np.round(walk.lengths / spacing_m)).astype(np.int64)
    road = np.repeat(np.arange(len(lines)), counts)
    cells = (walk.lengths / counts)[road]
    within = np.arange(len(road)) - np.repeat(np.cumsum(counts) - counts, counts)
    middle = walk.starts[road] + (within + 0.5) * cells
    chord = walk.at(middle + cells / 2, "left") - walk.at(middle - cells / 2, "right")
    norm = np.hypot(*chord.T)
    headings = chord / np.where(norm > 0, norm, 1.0)[:, None]
    points = walk.at(middle, "right")
    return Samples(steps, lines, data, walk.lengths, counts, road, points, headings, cells)


class _Walk:
    """All lines one after the other as one way, by the metres walked on it."""

    def __init__(self, lines: list[Floats]) -> None:
        sizes = np.array([len(line) for line in lines])
        self._points = np.concatenate(lines)
        self._steps = np.diff(self._points, axis=0)
        metres = np.hypot(*self._steps.T)
        ends = np.cumsum(sizes)[:-1] - 1
        metres[ends] = 0.0  # from a line to the next
        self._metres = metres
        self._walked = np.concatenate([[0.0], np.cumsum(metres)])
        self.starts = self._walked[np.concatenate([[0], ends + 1])]
        self.lengths = np.diff(np.append(self.starts, self._walked[-1]))

    def at(self, walked: Floats, side: Any) -> Floats:
        """Places (n, 2) after `walked` metres; where a line ends `side` picks the line."""
        segment = np.searchsorted(self._walked, walked, side=side) - 1
        segment = segment.clip(0, len(self._steps) - 1)
        metres = self._metres[segment]
        share = (walked - self._walked[segment]) / np.where(metres > 0, metres, np.inf)
        places: Floats = self._points[segment] + share.clip(0, 1)[:, None] * self._steps[segment]
        return places
