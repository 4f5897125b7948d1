"""Road networks in the form that osmnx and its users expect."""

from __future__ import annotations

from typing import Any

import networkx as nx
from shapely.geometry import LineString

from roadex.graph.attributes import described
from roadex.graph.network import ONE_WAY, leads, oriented

# Attributes for which osmnx has other names or other content.
_OURS = ("geometry", "length", "key")
# OSM's word for a road whose class is not known.
UNKNOWN_HIGHWAY = "road"


def to_osmnx(graph: nx.MultiGraph) -> nx.MultiDiGraph:
    """A copy as osmnx has street networks: an edge for each direction in which a road leads.

    Nodes are numbered from 0 in their order and have `x`, `y` in the network's system and
    `street_count`; edges have `length` in metres, `geometry` as a LineString in their own
    direction, `oneway`, `reversed`, `osmid` (the road's number), `speed_kph` and `travel_time` in
    seconds (see roadex.graph.attributes), `highway` (`road` where the class is not known) and the
    road's other attributes. Needs no osmnx.

    Args:
        graph: a network in a coordinate system; in the image frame osmnx can route but not plot.
    """
    graph = described(graph)
    numbers = {node: number for number, node in enumerate(graph)}
    result = nx.MultiDiGraph(crs=graph.graph.get("crs"), simplified=True, created_with="roadex")
    for node, number in numbers.items():
        data = graph.nodes[node]
        result.add_node(number, x=data["x"], y=data["y"], street_count=graph.degree(node))
    for road, (u, v, key) in enumerate(graph.edges(keys=True)):
        data = graph.edges[u, v, key]
        line = oriented(graph, u, v, key)
        shared = {name: value for name, value in data.items() if name not in _OURS}
        shared.setdefault("highway", UNKNOWN_HIGHWAY)
        shared |= {"osmid": road, "length": float(data["length"])}
        shared[ONE_WAY] = data.get(ONE_WAY) is True
        shared["travel_time"] = shared.pop("travel_time_s")
        if leads(graph, u, v, key):
            _add(result, numbers[u], numbers[v], shared, LineString(line), turned=False)
        if not shared[ONE_WAY] or (u != v and leads(graph, v, u, key)):
            turned = not shared[ONE_WAY]
            _add(result, numbers[v], numbers[u], shared, LineString(line[::-1]), turned=turned)
    return result


def _add(
    graph: nx.MultiDiGraph, u: int, v: int, data: dict[str, Any], line: LineString, turned: bool
) -> None:
    key = graph.add_edge(u, v)
    graph.edges[u, v, key].update({**data, "geometry": line, "reversed": turned})
