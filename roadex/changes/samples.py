"""Roads as evenly spaced samples with directions, and segments of one state made of samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.network import Step, oriented, walked_distances
from roadex.graph.places import points_at

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


@dataclass(frozen=True)
class Runs:
    """Samples in a row on one road that have one state.

    Attributes:
        first, stop: (r,) the samples of a run.
        state: (r,) its state.
    """

    first: Integers
    stop: Integers
    state: Integers


def runs_of(samples: Samples, states: Integers, min_segment_m: float) -> Runs:
    """The runs of all roads; one that is shorter goes with the longer run beside it.

    Roads that are shorter as a whole stay what they are.
    """
    if not len(states):
        return Runs(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    begins = np.concatenate([[True], np.diff(states) != 0])
    begins[samples.firsts] = True
    first = np.flatnonzero(begins)
    stop = np.append(first[1:], len(states))
    metres = np.add.reduceat(samples.cells, first)
    road = samples.road[first]
    bounds = np.flatnonzero(np.concatenate([[True], np.diff(road) != 0, [True]]))
    needy = np.zeros(len(bounds) - 1, dtype=bool)
    alone = np.diff(bounds) == 1
    needy[:] = ~alone & (np.minimum.reduceat(metres, bounds[:-1]) < min_segment_m)
    if not needy.any():
        return Runs(first, stop, states[first])
    parts = []
    for low, high in zip(bounds[:-1][needy].tolist(), bounds[1:][needy].tolist(), strict=True):
        inner = slice(low, high)
        parts.append(
            _absorbed(first[inner], stop[inner], states[first[inner]], metres[inner], min_segment_m)
        )
    kept = np.repeat(~needy, np.diff(bounds))
    columns = [
        np.concatenate([whole[kept], *(part[index] for part in parts)])
        for index, whole in enumerate((first, stop, states[first]))
    ]
    order = np.argsort(columns[0], kind="stable")
    return Runs(*(column[order] for column in columns))


def _absorbed(
    first: Integers, stop: Integers, state: Integers, metres: Floats, min_segment_m: float
) -> tuple[Integers, Integers, Integers]:
    """The runs of one road, the shortest ones given to their longer neighbours one by one."""
    runs = [list(run) for run in zip(first, stop, state, metres.tolist(), strict=True)]
    while len(runs) > 1:
        index = min(range(len(runs)), key=lambda i: runs[i][3])
        if runs[index][3] >= min_segment_m:
            break
        sides = [i for i in (index - 1, index + 1) if 0 <= i < len(runs)]
        runs[index][2] = runs[max(sides, key=lambda i: runs[i][3])][2]
        runs = _joined(runs)
    return tuple(np.array([run[i] for run in runs], dtype=np.int64) for i in range(3))  # type: ignore[return-value]


def _joined(runs: list[list[float]]) -> list[list[float]]:
    """Neighbours of one state made one."""
    result = [runs[0]]
    for run in runs[1:]:
        if run[2] == result[-1][2]:
            result[-1][1], result[-1][3] = run[1], result[-1][3] + run[3]
        else:
            result.append(run)
    return result


def line_of(samples: Samples, road: int, first: int, stop: int) -> Floats:
    """The polyline of some samples in a row of a road; `first` and `stop` count from its first."""
    line, count = samples.lines[road], int(samples.counts[road])
    if first == 0 and stop == count:
        return line
    walked = walked_distances(line)
    low, high = (walked[-1] * i / count for i in (first, stop))
    tips = points_at(line, walked, np.array([low, high]))
    inner = line[(walked > low + 1e-9) & (walked < high - 1e-9)]
    return np.vstack([tips[:1], inner, tips[1:]])
