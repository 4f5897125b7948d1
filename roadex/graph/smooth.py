"""Lines of a skeleton freed from the stairs of its pixels, without moving or shortening the road.

A chain of pixels is longer than the line that it stands for: by up to 8 % where it goes from corner
to corner, by up to 41 % where it goes from side to side. Each chain is therefore smoothed by the
filter 2 G - G G, where G is a Gaussian over the points of the chain. Its second moment is zero, so
that a curve keeps its radius, which G alone would shorten (Taubin 1995 has the same aim).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from roadex.graph.skeleton import Floats, Ints

# Of the Gaussian, in points of a chain: stairs of the steepest kinds repeat within as many.
DEVIATION = 2.0
_REACH = 12  # points on either side beyond which the filter is zero


def smooth_chains(points: Floats, offsets: Ints, rings: NDArray[np.bool_]) -> Floats:
    """The chains (k, 2) that start at `offsets` (m + 1,), smoothed; their ends stay.

    An open chain is continued beyond its ends by point reflection, so that straight lines stay
    straight; a ring is continued at its other end.

    Args:
        rings: (m,) whether a chain's first point is its last.
    """
    if not len(points):
        return points
    sizes = np.diff(offsets)
    chains = np.repeat(np.arange(len(sizes)), sizes + 2 * _REACH)
    starts = offsets[:-1] + 2 * _REACH * np.arange(len(sizes))
    index = np.arange(len(chains)) - starts[chains] - _REACH
    last = sizes[chains] - 1
    closed = rings[chains]
    around = np.where(closed, index % np.maximum(last, 1), np.abs(index))
    mirrored = np.minimum(np.where(closed | (index <= last), around, 2 * last - index), last)
    mirrored = np.maximum(mirrored, 0)
    padded = points[offsets[chains] + mirrored]
    outside = ~closed & ((index < 0) | (index > last))
    ends = points[offsets[chains] + np.where(index < 0, 0, last)]
    padded[outside] = 2 * ends[outside] - padded[outside]
    kernel = _kernel()
    inside = (index >= 0) & (index <= last)
    smoothed = np.column_stack(
        [np.convolve(padded[:, axis], kernel, mode="same")[inside] for axis in (0, 1)]
    )
    ends_of = np.concatenate([offsets[:-1], offsets[1:] - 1])
    smoothed[ends_of] = points[ends_of]
    return smoothed


def _kernel() -> Floats:
    """2 G - G G over `_REACH` points on either side."""
    half = _REACH // 2
    steps = np.arange(-half, half + 1)
    once = np.exp(-0.5 * (steps / DEVIATION) ** 2)
    once /= once.sum()
    kernel: Floats = 2 * np.pad(once, half) - np.convolve(once, once)
    return kernel
