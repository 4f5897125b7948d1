"""How many of a decoder's added connections join roads that are not joined in truth."""

from __future__ import annotations

from collections.abc import Hashable

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.places import Places

# A connection is true if both its ends lie this near to true roads, and the way along these is at
# most this multiple of the connection plus twice that distance.
REACH_M = 8.0
DETOUR = 2.0
_START = ("start of a connection",)  # no node of a network has this name

Line = NDArray[np.float64]
# Distances in metres, along a road, from a place on it to the road's two nodes; and which road.
_Foot = tuple[int, float]


def count_false(
    truth: nx.MultiGraph, lines: list[Line], reach_m: float = REACH_M, detour: float = DETOUR
) -> int:
    """The number of connections between places that the truth does not join.

    Args:
        truth: the true network, in metres.
        lines: the connections, (n, 2) each, in the same frame.
        reach_m: how far the ends of a connection may lie from a true road.
        detour: the longest true way, as a multiple of the connection; 2 `reach_m` are added.
    """
    if not truth.number_of_edges():
        return len(lines)
    places, ways = Places.of(truth), _shortest_edges(truth)
    return sum(not _is_true(line, places, ways, reach_m, detour) for line in lines)


def _is_true(line: Line, places: Places, ways: nx.Graph, reach_m: float, detour: float) -> bool:
    first, last = _feet(line[0], places, reach_m), _feet(line[-1], places, reach_m)
    if not first or not last:
        return False
    length = float(np.hypot(*np.diff(line, axis=0).T).sum())
    return _way(first, last, places, ways) <= detour * length + 2 * reach_m


def _feet(point: Line, places: Places, reach_m: float) -> list[_Foot]:
    """The place nearest to a point on each road within reach: the road, and metres along it."""
    near = places.near(point, reach_m)
    away = np.hypot(*(places.points[near] - point).T)
    order = near[np.argsort(away, kind="stable")]
    _, first = np.unique(places.road[order], return_index=True)
    return [(int(places.road[i]), float(places.walked[i])) for i in order[first].tolist()]


def _way(first: list[_Foot], last: list[_Foot], places: Places, ways: nx.Graph) -> float:
    """Metres along true roads from any of some places to any of others."""
    on_one_road = [abs(s - t) for road, s in first for other, t in last if road == other]
    ways.add_node(_START)
    for node, metres in _to_nodes(first, places):
        before = ways.get_edge_data(_START, node, {"length": np.inf})["length"]
        ways.add_edge(_START, node, length=min(metres, before))
    known = nx.single_source_dijkstra_path_length(ways, _START, weight="length")
    ways.remove_node(_START)
    across = [known[node] + metres for node, metres in _to_nodes(last, places) if node in known]
    return min([*on_one_road, *across], default=np.inf)


def _to_nodes(feet: list[_Foot], places: Places) -> list[tuple[Hashable, float]]:
    """The nodes of the roads that places are on, and the metres to them."""
    return [
        (node, metres)
        for road, walked in feet
        for node, metres in zip(
            places.steps[road][:2], (walked, float(places.lengths[road]) - walked), strict=True
        )
    ]


def _shortest_edges(graph: nx.MultiGraph) -> nx.Graph:
    """The network with one edge for parallel roads, the shortest."""
    ways = nx.Graph()
    ways.add_nodes_from(graph)
    for u, v, length in graph.edges(data="length"):
        if length < ways.get_edge_data(u, v, {"length": np.inf})["length"]:
            ways.add_edge(u, v, length=length)
    return ways
