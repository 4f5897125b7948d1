"""Buffered length metrics: completeness, correctness, quality, and the ratio of lengths.

Source: Heipke, Mayer, Wiedemann and Jamet (1997), Evaluation of automatic road extraction. Lengths
in metres; completeness looks from the truth to the proposal, correctness the other way.

The length within the buffer is exact, without sampling: the points within a distance of a straight
segment form a convex capsule, so each straight piece of the other set lies in it over one interval,
which has a closed form; intervals are then joined.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.metrics.pair import Pair
from roadex.metrics.ratios import Tally, share
from roadex.metrics.roads import Floats, Integers, Roads


def tally(pair: Pair) -> Tally:
    """Metres of road, and of road within the buffer of the other network."""
    real, drawn, reach = pair.real, pair.drawn, pair.settings.buffer
    return {
        "truth_m": _length(real),
        "proposal_m": _length(drawn),
        "truth_found_m": length_within(real, drawn, reach),
        "proposal_right_m": length_within(drawn, real, reach),
    }


def scores(counts: Tally) -> dict[str, float]:
    """completeness, correctness, quality, and ratio (proposed / true length).

    Quality is the correct length / (the proposed length + the true length that was not found). The
    ratio is infinite where something is proposed and there is no road.
    """
    real, drawn = counts["truth_m"], counts["proposal_m"]
    right, found = counts["proposal_right_m"], counts["truth_found_m"]
    return {
        "completeness": share(found, real, other_empty=drawn == 0),
        "correctness": share(right, drawn, other_empty=real == 0),
        "quality": share(right, drawn + real - found, other_empty=True),
        "ratio": drawn / real if real > 0 else math.nan if drawn == 0 else math.inf,
    }


def _length(roads: Roads) -> float:
    steps = segments(roads)[1]
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


# Segment pairs worked on at a time.
CHUNK = 1 << 18


def length_within(roads: Roads, others: Roads, reach: float) -> float:
    """Metres of `roads` that lie within `reach` metres of a road of `others` (inclusive)."""
    starts, steps = segments(roads)
    other_starts, other_steps = segments(others)
    if len(starts) == 0 or len(other_starts) == 0:
        return 0.0
    tree = shapely.STRtree(_shapes(other_starts, other_steps))
    own, other = tree.query(_shapes(starts, steps), predicate="dwithin", distance=reach)
    parts = [
        _inside(starts[i], steps[i], other_starts[j], other_steps[j], reach)
        for i, j in _chunks(own, other)
    ]
    low, high = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    return float((_covered(own, low, high, len(starts)) * lengths).sum())


def segments(roads: Roads) -> tuple[Floats, Floats]:
    """Starts (s, 2) and steps (s, 2) of the straight pieces of positive length."""
    if roads.is_empty:
        return np.empty((0, 2)), np.empty((0, 2))
    starts = np.concatenate([line[:-1] for line in roads.lines])
    steps = np.concatenate([np.diff(line, axis=0) for line in roads.lines])
    proper = steps.any(axis=1)
    return starts[proper], steps[proper]


def _shapes(starts: Floats, steps: Floats) -> NDArray[Any]:
    return np.asarray(shapely.linestrings(np.stack([starts, starts + steps], axis=1)))


def _chunks(own: Integers, other: Integers) -> list[tuple[Integers, Integers]]:
    bounds = range(0, max(len(own), 1), CHUNK)
    return [(own[low : low + CHUNK], other[low : low + CHUNK]) for low in bounds]


def _inside(
    start: Floats, step: Floats, other_start: Floats, other_step: Floats, reach: float
) -> tuple[Floats, Floats]:
    """The interval of each segment (as shares of it, low > high where empty) in a capsule."""
    length = np.hypot(other_step[:, 0], other_step[:, 1])
    axis = other_step / length[:, None]
    # In the frame of the capsule: x along its axis, y across.
    x0, y0 = _turned(start - other_start, axis)
    dx, dy = _turned(step, axis)
    bands = [
        _both(_band(x0, dx, np.zeros_like(length), length), _band(y0, dy, -reach, reach)),
        _disc(x0, y0, dx, dy, reach),
        _disc(x0 - length, y0, dx, dy, reach),
    ]
    low = np.min([band[0] for band in bands], axis=0)
    high = np.max([band[1] for band in bands], axis=0)
    return np.clip(low, 0, None), np.clip(high, None, 1)


def _turned(vectors: Floats, axis: Floats) -> tuple[Floats, Floats]:
    along = vectors[:, 0] * axis[:, 0] + vectors[:, 1] * axis[:, 1]
    across = vectors[:, 1] * axis[:, 0] - vectors[:, 0] * axis[:, 1]
    return along, across


def _band(
    value: Floats, rate: Floats, low: Floats | float, high: Floats | float
) -> tuple[Floats, Floats]:
    """Where low <= value + t rate <= high: all t or none where the rate is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (low - value) / rate, (high - value) / rate
    still = rate == 0
    outside = still & ((value < low) | (value > high))
    begin = np.where(still, -np.inf, np.minimum(first, second))
    end = np.where(still, np.inf, np.maximum(first, second))
    return np.where(outside, np.inf, begin), np.where(outside, -np.inf, end)


def _disc(x: Floats, y: Floats, dx: Floats, dy: Floats, reach: float) -> tuple[Floats, Floats]:
    """Where (x, y) + t (dx, dy) lies within `reach` of the origin."""
    square = dx * dx + dy * dy
    middle = -(x * dx + y * dy) / square
    across = (x * dy - y * dx) / np.sqrt(square)
    room = reach * reach - across * across
    half = np.sqrt(np.maximum(room, 0) / square)
    return np.where(room < 0, np.inf, middle - half), np.where(room < 0, -np.inf, middle + half)


def _both(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    low, high = np.maximum(one[0], other[0]), np.minimum(one[1], other[1])
    return np.where(low > high, np.inf, low), np.where(low > high, -np.inf, high)


def _covered(owner: Integers, low: Floats, high: Floats, count: int) -> Floats:
    """Share (count,) of each segment that the intervals on it cover together."""
    filled = high > low
    owner, low, high = owner[filled], low[filled], high[filled]
    order = np.lexsort((low, owner))
    owner, low, high = owner[order], low[order], high[order]
    # Segments side by side, two units apart: what earlier intervals reach stays on its segment.
    reached = np.maximum.accumulate(np.append(-np.inf, high + 2 * owner)[:-1])
    begin = np.maximum(low, reached - 2 * owner)
    lengths = np.maximum(high - begin, 0.0)
    return np.bincount(owner, weights=lengths, minlength=count).astype(np.float64)
