"""Junctions and road ends of a skeleton brought into the shape they have on the ground.

Thinning a wide road leaves traces of its width: a crossing falls apart into two forks a few pixels
apart, and the flat end of a road forks towards its two corners. The half-width of the road at a
node (node attribute `half_width`, metres) tells such traces from roads.
"""

from __future__ import annotations

from collections.abc import Hashable

import networkx as nx
import numpy as np

from roadex.graph.network import (
    Step,
    add_like,
    oriented,
    polyline_length,
    position,
    walked_distances,
)
from roadex.graph.skeleton import Floats

# A ring of fewer points, the first being the last, encloses nothing.
RING_POINTS = 4
# The corners of a road that is cut square lie 1.41 half-widths from where its centreline forks.
_FORK_REACH = 1.6


def merge_junctions(graph: nx.MultiGraph, share: float) -> None:
    """Make one junction of those nearer than `share` half-widths along a road, in place."""
    close = nx.Graph()
    half_width = dict(graph.nodes(data="half_width"))
    junctions = {node for node, degree in graph.degree if degree > 2}
    for u, v, key, length in graph.edges(keys=True, data="length"):
        near = length < share * max(half_width[u], half_width[v])
        if near and u != v and u in junctions and v in junctions:
            close.add_edge(u, v, key=key)
    for members in list(nx.connected_components(close)):
        graph.remove_edges_from([(u, v, key) for u, v, key in close.edges(members, data="key")])
        _contract(graph, sorted(members))


def _contract(graph: nx.MultiGraph, members: list[Hashable]) -> None:
    """Move all roads of `members` to the first of them, which moves to their mean position."""
    kept, absorbed = members[0], set(members)
    centre = np.mean([position(graph, node) for node in members], axis=0)
    widest = max(graph.nodes[node]["half_width"] for node in members)
    roads = [
        (u, v, oriented(graph, u, v, key), graph.edges[u, v, key])
        for u, v, key in graph.edges(members, keys=True)
    ]
    graph.remove_nodes_from(members)
    graph.add_node(kept, x=float(centre[0]), y=float(centre[1]), half_width=widest)
    for u, v, line, data in roads:
        if u in absorbed and v in absorbed:
            line = np.vstack([centre, line[1:-1], centre])
        elif u in absorbed:
            line = _moved_start(line, centre, widest)
        else:
            line = _moved_start(line[::-1], centre, widest)[::-1]
        ends = (kept if u in absorbed else u), (kept if v in absorbed else v)
        if ends[0] != ends[1] or len(line) >= RING_POINTS:
            add_like(graph, *ends, {**data, "geometry": line, "length": polyline_length(line)})


def _moved_start(line: Floats, start: Floats, half_width: float) -> Floats:
    """The line with another first point; what was bent towards the old one is left out.

    A point between the ends stays if there was one, which keeps parallel roads apart.
    """
    near = np.hypot(*(line - start).T) < half_width
    walked = walked_distances(line)
    bent = int(np.argmin(near & (walked <= walked[-1] / 2)))
    return np.vstack([start, line[max(min(bent, len(line) - 2), 1) :]])


def drop_end_forks(graph: nx.MultiGraph) -> None:
    """Cut off, in place, the prongs that point at the corners of a road's end."""
    tips = [node for node, degree in graph.degree if degree == 1]
    for node in dict.fromkeys(foot for tip in tips for foot in graph.adj[tip]):
        roads = list(graph.edges(node, keys=True))
        prongs = [road for road in roads if _is_prong(graph, node, road)]
        if len(prongs) >= 2 and len(prongs) == len(roads) - 1:
            graph.remove_nodes_from([tip for _, tip, _ in prongs])


def _is_prong(graph: nx.MultiGraph, node: Hashable, road: Step) -> bool:
    """A dead end that does not lead out of the road's own width at `node`."""
    tip = road[1]
    reach = _FORK_REACH * graph.nodes[node]["half_width"]
    return tip != node and graph.degree(tip) == 1 and graph.edges[road]["length"] <= reach
