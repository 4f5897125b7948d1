"""Roads cut into segments of one state each, by the states of their samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roadex.changes.samples import Floats, Integers, Samples
from roadex.graph.network import walked_distances
from roadex.graph.places import points_at


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
