"""True roads as rows of straight segments, which move, turn and are cut as training crops are."""

from __future__ import annotations

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.graph.network import oriented
from roadex.graph.paths.vertices import Floats

# x and y of both ends, and the numbers of the points there: equal numbers are one place.
Segments = NDArray[np.float64]
COLUMNS = 6
_TOLERANCE_PX = 0.5


def segments_of(graph: nx.MultiGraph, gsd: float) -> Segments:
    """The roads of a network in the image frame, simplified, as rows (m, 6) in pixels."""
    numbers = {node: float(index) for index, node in enumerate(graph)}
    fresh = float(len(numbers))
    rows = [np.zeros((0, COLUMNS))]
    for u, v, key in graph.edges(keys=True):
        line = shapely.LineString(oriented(graph, u, v, key) / gsd).simplify(_TOLERANCE_PX)
        points = shapely.get_coordinates(line)
        inner = fresh + np.arange(len(points) - 2)
        fresh += len(inner)
        names = np.concatenate([[numbers[u]], inner, [numbers[v]]])
        rows.append(np.column_stack([points[:-1], points[1:], names[:-1], names[1:]]))
    return np.concatenate(rows)


def moved_segments(rows: Segments, matrix: Floats, size: int) -> Segments:
    """Rows as a matrix (2, 3) places them, cut at the border of a square of `size` pixels."""
    ends = rows[:, :4].reshape(-1, 2) @ matrix[:, :2].T + matrix[:, 2]
    there = np.column_stack([ends.reshape(-1, 4), rows[:, 4:]])
    return within_box(there, (0.0, 0.0, float(size), float(size)))


def without_box(rows: Segments, box: tuple[float, float, float, float]) -> Segments:
    """What lies outside a box (left, top, right, bottom)."""
    enter, leave = _inside(rows, box)
    touched = leave > enter
    before = _parts(rows, np.zeros(len(rows)), np.where(touched, enter, 1.0), _fresh(rows))
    rest = rows[touched]
    after = _parts(rest, leave[touched], np.ones(len(rest)), max(_fresh(before), _fresh(rows)))
    return np.concatenate([before, after])


def within_box(rows: Segments, box: tuple[float, float, float, float]) -> Segments:
    """What lies inside a box (left, top, right, bottom)."""
    return _parts(rows, *_inside(rows, box), _fresh(rows))


def beside(rows: Segments, others: Segments) -> Segments:
    """Both, without a place in common."""
    lifted = others.copy()
    lifted[:, 4:] += _fresh(rows)
    return np.concatenate([rows, lifted])


def _inside(rows: Segments, box: tuple[float, float, float, float]) -> tuple[Floats, Floats]:
    """The shares of each segment at which it enters and leaves a box (Liang and Barsky 1984)."""
    start, step = rows[:, :2], rows[:, 2:4] - rows[:, :2]
    with np.errstate(divide="ignore", invalid="ignore"):
        low = (np.array(box[:2]) - start) / step
        high = (np.array(box[2:]) - start) / step
    still = step == 0
    within = (start >= box[:2]) & (start <= box[2:])
    first = np.where(still, np.where(within, -np.inf, np.inf), np.minimum(low, high))
    last = np.where(still, np.where(within, np.inf, -np.inf), np.maximum(low, high))
    enter = np.maximum(first.max(axis=1, initial=0.0), 0.0)
    leave = np.minimum(last.min(axis=1, initial=1.0), 1.0)
    return enter, leave


def _fresh(rows: Segments) -> float:
    """A number above all that are taken."""
    return float(rows[:, 4:].max(initial=-1.0)) + 1


def _parts(rows: Segments, enter: Floats, leave: Floats, new: float) -> Segments:
    """What lies between two shares of each segment; cut ends are places numbered from `new`."""
    kept = leave > enter
    rows, enter, leave = rows[kept], enter[kept], leave[kept]
    start, step = rows[:, :2], rows[:, 2:4] - rows[:, :2]
    fresh = new + np.arange(2 * len(rows))
    first = np.where(enter > 0, fresh[: len(rows)], rows[:, 4])
    last = np.where(leave < 1, fresh[len(rows) :], rows[:, 5])
    points = [start + enter[:, None] * step, start + leave[:, None] * step]
    return np.column_stack([*points, first, last])
