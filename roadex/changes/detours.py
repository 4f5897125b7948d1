"""Where missing roads meet the map, and how much longer ways are without them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from itertools import pairwise

import networkx as nx
import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from roadex.changes.samples import Floats, Integers
from roadex.graph.network import oriented, polyline_length

# Longer detours, and missing ones, count as this.
LONGEST_M = 2000.0
# Detours are computed for this number of the longest missing roads.
MOST = 2000
_TOUCH_M = 1e-3
_Edge = tuple[Hashable, Hashable, float]


def detours(lines: list[Floats], known: nx.MultiGraph, join_m: float) -> list[float | None]:
    """By how many metres the way between the ends of each missing road is longer without it.

    The way leads over the map and the other missing roads, `LONGEST_M` at most. None for dead ends
    and rings, and for all but the `MOST` longest roads.

    Args:
        lines: the missing roads.
        known: the map.
        join_m: a missing road that ends this near to the map meets it.
    """
    lines = tied(lines, known, join_m)
    edges = _all_roads(lines, known)
    numbers: dict[Hashable, int] = {}
    ends = np.array(
        [[numbers.setdefault(node, len(numbers)) for node in edge[:2]] for edge in edges],
        dtype=np.int64,
    ).reshape(-1, 2)
    metres = np.maximum([edge[2] for edge in edges], 1e-6)
    ways = _Ways(ends, metres, len(numbers))
    result: list[float | None] = [None] * len(lines)
    first = len(edges) - len(lines)
    longest = np.argsort(-metres[first:], kind="stable")[:MOST]
    for index in longest.tolist():
        result[index] = ways.without(first + index)
    return result


class _Ways:
    """A network as a matrix in which one road after the other is closed."""

    def __init__(self, ends: Integers, metres: Floats, nodes: int) -> None:
        self._ends, self._metres = ends, metres
        rows = np.concatenate([ends[:, 0], ends[:, 1]])
        columns = np.concatenate([ends[:, 1], ends[:, 0]])
        order = np.argsort(rows, kind="stable")
        self._where = np.empty(len(order), dtype=np.int64)
        self._where[order] = np.arange(len(order))
        self._degrees = np.bincount(rows, minlength=nodes)
        starts = np.concatenate([[0], np.cumsum(self._degrees)])
        values = np.concatenate([metres, metres])[order]
        # Made of its parts, since roads between the same nodes must not be added up.
        self._matrix = csr_array((values, columns[order], starts), shape=(nodes, nodes))

    def without(self, road: int) -> float | None:
        """How much longer the way between a road's ends is without it."""
        start, end = self._ends[road].tolist()
        if start == end or min(self._degrees[[start, end]]) < 2:
            return None
        places = self._where[[road, road + len(self._ends)]]
        length = float(self._metres[road])
        self._matrix.data[places] = np.inf
        ways = dijkstra(self._matrix, indices=start, limit=length + LONGEST_M)
        self._matrix.data[places] = length
        return float(np.clip(ways[end] - length, 0, LONGEST_M))


def _all_roads(lines: list[Floats], known: nx.MultiGraph) -> list[_Edge]:
    """The roads of the map, cut where missing ones meet them, and then the missing ones."""
    steps = list(known.edges(keys=True))
    roads = [oriented(known, *step) for step in steps]
    shapes = np.array([shapely.linestrings(line) for line in roads])
    lengths = shapely.length(shapes)
    tips = np.concatenate([line[[0, -1]] for line in lines]) if lines else np.zeros((0, 2))
    names: list[Hashable] = [("free", *tip) for tip in tips.round(3).tolist()]
    stops: dict[int, dict[float, Hashable]] = defaultdict(dict)
    places = shapely.points(tips)
    found = shapely.STRtree(shapes).query_nearest(places, _TOUCH_M, all_matches=False)
    walks = shapely.line_locate_point(shapes[found[1]], places[found[0]])
    for tip, road, walked in zip(*found.tolist(), walks.tolist(), strict=True):
        u, v, _ = steps[road]
        if walked <= _TOUCH_M:
            names[tip] = ("map", u)
        elif walked >= lengths[road] - _TOUCH_M:
            names[tip] = ("map", v)
        else:
            names[tip] = stops[road].setdefault(round(walked, 2), ("on", road, round(walked, 2)))
    edges: list[_Edge] = []
    for road, (u, v, _) in enumerate(steps):
        chain = [
            (0.0, ("map", u)),
            *sorted(stops.get(road, {}).items()),
            (lengths[road], ("map", v)),
        ]
        edges += [(a, b, y - x) for (x, a), (y, b) in pairwise(chain)]
    missing = zip(names[::2], names[1::2], map(polyline_length, lines), strict=True)
    return [*edges, *missing]


def tied(lines: list[Floats], known: nx.MultiGraph, join_m: float) -> list[Floats]:
    """Lines whose ends near the map (`join_m`) lie on it, at a vertex if one is near."""
    if not lines or not known.number_of_edges():
        return lines
    roads = [line for *_, line in known.edges(data="geometry")]
    vertices = np.concatenate(roads)
    ends = np.concatenate([line[[0, -1]] for line in lines])
    places = shapely.points(ends)
    target = ends.copy()
    shapes = np.array([shapely.linestrings(line) for line in roads])
    own, road = shapely.STRtree(shapes).query_nearest(
        places, max_distance=join_m, all_matches=False
    )
    walked = shapely.line_locate_point(shapes[road], places[own])
    target[own] = shapely.get_coordinates(shapely.line_interpolate_point(shapes[road], walked))
    near = shapely.STRtree(shapely.points(vertices))
    own, vertex = near.query_nearest(places, max_distance=join_m, all_matches=False)
    target[own] = vertices[vertex]
    return [
        _with_ends(line, *target[2 * index : 2 * index + 2]) for index, line in enumerate(lines)
    ]


def _with_ends(line: Floats, first: Floats, last: Floats) -> Floats:
    """A line with other ends, unless its length would then be 0."""
    if np.array_equal(first, last) and not np.array_equal(line[0], line[-1]):
        return line
    return np.vstack([first, line[1:-1], last])
