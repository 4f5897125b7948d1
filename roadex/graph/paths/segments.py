"""True roads as straight segments, which are cut as training crops are.

And which pairs of vertices a true road joins.
"""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from roadex.config.graph import VertexSettings
from roadex.graph.network import oriented
from roadex.graph.paths.vertices import Bools, Floats, Ints, apart

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
    """The parts outside a box (left, top, right, bottom)."""
    enter, leave = _inside(rows, box)
    touched = leave > enter
    before = _parts(rows, np.zeros(len(rows)), np.where(touched, enter, 1.0), _fresh(rows))
    rest = rows[touched]
    after = _parts(rest, leave[touched], np.ones(len(rest)), max(_fresh(before), _fresh(rows)))
    return np.concatenate([before, after])


def within_box(rows: Segments, box: tuple[float, float, float, float]) -> Segments:
    """The parts inside a box (left, top, right, bottom)."""
    return _parts(rows, *_inside(rows, box), _fresh(rows))


def beside(rows: Segments, others: Segments) -> Segments:
    """Both together, with distinct places."""
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
    """The parts between two shares of each segment; cut ends are places numbered from `new`."""
    kept = leave > enter
    rows, enter, leave = rows[kept], enter[kept], leave[kept]
    start, step = rows[:, :2], rows[:, 2:4] - rows[:, :2]
    fresh = new + np.arange(2 * len(rows))
    first = np.where(enter > 0, fresh[: len(rows)], rows[:, 4])
    last = np.where(leave < 1, fresh[len(rows) :], rows[:, 5])
    points = [start + enter[:, None] * step, start + leave[:, None] * step]
    return np.column_stack([*points, first, last])


_STEP_M = 4.0  # between the points that true roads are divided into
_JITTER_M = 1.0


def drawn_points(
    rows: Segments, pixel: tuple[float, float], spacing_m: float, random: np.random.Generator
) -> tuple[Floats, Bools]:
    """Points on true roads as SAM-Road draws them: junctions first, then others at random.

    Args:
        rows: true roads in pixels.
        pixel: metres per pixel along x and y.
        spacing_m: the least distance between points.

    Returns:
        Points (n, 2), x, y in metres, moved at random by about a metre; and whether each lies
        within `spacing_m` of a junction.
    """
    if not len(rows):
        return np.zeros((0, 2)), np.zeros(0, dtype=np.bool_)
    ends = rows[:, :4].reshape(-1, 2, 2) * pixel
    names, counts = np.unique(rows[:, 4:], return_counts=True)
    junction = np.isin(rows[:, 4:], names[counts > 2])
    steps = np.maximum(np.ceil(np.hypot(*(ends[:, 1] - ends[:, 0]).T) / _STEP_M), 1).astype(int)
    owner = np.repeat(np.arange(len(rows)), steps)
    number = np.arange(len(owner)) - np.repeat(steps.cumsum() - steps, steps)
    share = (number / steps[owner])[:, None]
    between = ends[owner, 0] * (1 - share) + ends[owner, 1] * share
    nodes = ends[junction]
    others = random.permutation(np.concatenate([between, ends[:, 1]]))
    every = np.concatenate([random.permutation(nodes), others])
    points = every[apart(every, spacing_m)]
    near = np.zeros(len(points), dtype=np.bool_)
    if len(nodes):
        near = cKDTree(nodes).query(points)[0] < spacing_m
    return points + random.normal(0.0, _JITTER_M, points.shape), near


_SAME_M = (
    4.0  # of two vertices within this distance along a road, only the nearer one counts as on it
)
_AT_ONCE = 4096  # pairs that are compared with all vertices at once
_PASSED_M = 6.0  # a way that a third vertex makes longer by this much passes it


@dataclass(frozen=True)
class TrueRoads:
    """The true roads of an image as straight segments.

    Attributes:
        segments: (m, 4) x, y of both ends in metres.
        ends: (m, 2) the places, numbered from 0, that a segment joins.
        lengths: (m,) of the segments in metres.
        ways: (n, n) metres by road between two places, infinite where they lie far apart.
    """

    segments: Floats
    ends: Ints
    lengths: Floats
    ways: Floats

    @classmethod
    def of(cls, rows: Segments, pixel: tuple[float, float], limit_m: float) -> TrueRoads:
        """Those of rows in pixels; ways longer than `limit_m` do not count."""
        numbers, ends = np.unique(rows[:, 4:], return_inverse=True)
        ends = ends.reshape(-1, 2)
        segments = rows[:, :4] * (*pixel, *pixel)
        lengths = np.hypot(*(segments[:, 2:] - segments[:, :2]).T)
        return cls(segments, ends, lengths, _ways(ends, lengths, len(numbers), limit_m))


def _ways(ends: Ints, lengths: Floats, places: int, limit_m: float) -> Floats:
    # A road of length 0 would vanish in a sparse matrix, and parallel ones would add up.
    order = np.argsort(-lengths, kind="stable")
    both = np.concatenate([ends[order], ends[order, ::-1]])
    steps = np.maximum(np.concatenate([lengths[order], lengths[order]]), 1e-9)
    keys, last = np.unique((both[:, 0] * max(places, 1) + both[:, 1])[::-1], return_index=True)
    steps = steps[::-1][last]
    shape = (places, places)
    matrix = coo_matrix((steps, (keys // max(places, 1), keys % max(places, 1))), shape=shape)
    result: Floats = dijkstra(matrix.tocsr(), limit=limit_m)
    return result


def true_pairs(points: Floats, pairs: Ints, truth: TrueRoads, settings: VertexSettings) -> Bools:
    """Whether a true road leads from one vertex of a pair to the other, past no third one.

    Args:
        points: (n, 2) x, y in metres.
        pairs: (m, 2) indices of points.
    """
    none = np.zeros(len(pairs), dtype=np.bool_)
    if not len(truth.segments) or not len(pairs):
        return none
    segment, walked, gap = _snapped(points, truth)
    on = gap <= settings.snap_m
    between = _walks(segment, walked, truth)
    between[~on], between[:, ~on] = np.inf, np.inf
    on &= _nearest_of_their_place(between, gap)
    between[~on], between[:, ~on] = np.inf, np.inf
    first, second = pairs.T
    direct = np.hypot(*(points[first] - points[second]).T)
    way = between[first, second]
    joined: Bools = way <= settings.winding * direct + settings.snap_m
    for part in np.array_split(np.flatnonzero(joined), 1 + len(pairs) // _AT_ONCE):
        joined[part] = ~_pass_a_third(pairs[part], way[part], between)
    return joined


def _pass_a_third(pairs: Ints, way: Floats, between: Floats) -> Bools:
    """Whether the way (m,) of each pair leads past another vertex; `between` holds all ways."""
    first, second = pairs.T
    by = between[first] + between[second]
    by[np.arange(len(pairs)), first] = np.inf
    by[np.arange(len(pairs)), second] = np.inf
    result: Bools = (by <= way[:, None] + _PASSED_M).any(axis=1)
    return result


def _snapped(points: Floats, truth: TrueRoads) -> tuple[Ints, Floats, Floats]:
    """The nearest segment of each point, metres from its start, and metres to it."""
    start, stop = truth.segments[:, :2], truth.segments[:, 2:]
    along = stop - start
    square = np.maximum(truth.lengths**2, 1e-12)
    offset = points[:, None] - start
    share = np.clip((offset * along).sum(axis=2) / square, 0.0, 1.0)
    rest = offset - share[..., None] * along
    gaps = np.hypot(rest[..., 0], rest[..., 1])
    best = gaps.argmin(axis=1)
    rows = np.arange(len(points))
    return best, share[rows, best] * truth.lengths[best], gaps[rows, best]


def _walks(segment: Ints, walked: Floats, truth: TrueRoads) -> Floats:
    """Metres (n, n) by road between points of segments."""
    to_ends = np.column_stack([walked, truth.lengths[segment] - walked])
    ends = truth.ends[segment]
    best = np.where(segment[:, None] == segment, np.abs(walked[:, None] - walked), np.inf)
    for i in (0, 1):
        for j in (0, 1):
            way = truth.ways[ends[:, i][:, None], ends[:, j]]
            best = np.minimum(best, to_ends[:, i][:, None] + way + to_ends[:, j])
    result: Floats = best
    return result


def _nearest_of_their_place(between: Floats, gap: Floats) -> Bools:
    """Which places have no other nearby on the road whose vertex is nearer to the road."""
    same = between <= _SAME_M
    np.fill_diagonal(same, False)
    nearer = (gap < gap[:, None]) | ((gap == gap[:, None]) & np.tri(len(gap), k=-1, dtype=np.bool_))
    result: Bools = ~(same & nearer).any(axis=1)
    return result
