"""Smooth lines through the vertices of a road."""

from __future__ import annotations

import numpy as np

from roadex.graph.network import walked_distances
from roadex.graph.paths.vertices import Floats

_STEP_M = 2.0


def curved(line: Floats) -> Floats:
    """A line (n, 2) in metres as a curve through its points, a point every two metres.

    It is the cubic of Catmull and Rom 1974 in the length walked, whose direction at a point is that
    from the point before to the point after; the ends stay, and a line of two points is straight.
    """
    if len(line) < 3:
        return line
    walked = walked_distances(line)
    ring = bool(np.array_equal(line[0], line[-1]))
    slopes = _slopes(line, walked, ring)
    stops = np.unique(np.concatenate([walked, np.arange(0.0, walked[-1], _STEP_M)]))
    piece = np.clip(np.searchsorted(walked, stops, side="right") - 1, 0, len(line) - 2)
    length = np.diff(walked)[piece][:, None]
    share = (stops - walked[piece])[:, None] / length
    first, second = line[piece], line[piece + 1]
    result: Floats = (
        (1 + 2 * share) * (1 - share) ** 2 * first
        + share**2 * (3 - 2 * share) * second
        + share * (1 - share) ** 2 * length * slopes[piece]
        - share**2 * (1 - share) * length * slopes[piece + 1]
    )
    result[0], result[-1] = line[0], line[-1]
    return result


def _slopes(line: Floats, walked: Floats, ring: bool) -> Floats:
    """The direction (n, 2) at each point, per metre walked."""
    slopes = np.empty_like(line)
    slopes[1:-1] = (line[2:] - line[:-2]) / (walked[2:] - walked[:-2])[:, None]
    # As of the parabola through the end, the next point and its direction.
    first = (line[1] - line[0]) / walked[1]
    last = (line[-1] - line[-2]) / (walked[-1] - walked[-2])
    slopes[0], slopes[-1] = 1.5 * first - 0.5 * slopes[1], 1.5 * last - 0.5 * slopes[-2]
    if ring:
        around = (line[1] - line[-2]) / (walked[1] + walked[-1] - walked[-2])
        slopes[0] = slopes[-1] = around
    return slopes
