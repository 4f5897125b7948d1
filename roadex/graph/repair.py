"""A skeleton's graph repaired: junctions and road ends as on the ground, spurs removed."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from typing import Any

import networkx as nx
import numpy as np

from roadex.graph.network import (
    Step,
    add_like,
    merge_node,
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


BORDER_M = 1.0
# Lengths that differ by less than a micrometre differ by rounding and count as equal: which of two
# equal spurs is removed first must not depend on their place on the image.
_DECIMALS = 6


def prune_spurs(graph: nx.MultiGraph, min_length: float, half_widths: float = 0.0) -> None:
    """Remove dead ends shorter than `min_length`, in place.

    What counts is the length beyond `half_widths` half-widths of the road at the foot (the node
    attribute `half_width`); a tip marked `on_border` is no bump and counts in full.

    The shortest is removed first, and the two roads left at its foot become one before the next is
    considered. So the end of a long road with spurs near it stays as long as it is, and of a small
    network the longest line remains unless even that is too short. Rings stay.
    """
    queue = [
        (_protrusion(graph, step, half_widths), i, step) for i, step in enumerate(_dead_ends(graph))
    ]
    heapq.heapify(queue)
    serial = len(queue)
    while queue and queue[0][0] < min_length:
        length, _, (u, v, key) = heapq.heappop(queue)
        step = u, v, key
        if not graph.has_edge(*step) or _protrusion(graph, step, half_widths) != length:
            continue
        for merged in _without(graph, step):
            serial += 1
            heapq.heappush(queue, (_protrusion(graph, merged, half_widths), serial, merged))


def _protrusion(graph: nx.MultiGraph, step: Step, half_widths: float) -> float:
    """How far a dead end leads out of the road at its foot."""
    u, v, _ = step
    length: float = round(graph.edges[step]["length"], _DECIMALS)
    tips = [node for node in (u, v) if graph.degree(node) == 1]
    if not half_widths or len(tips) != 1 or graph.nodes[tips[0]].get("on_border"):
        return length
    foot = graph.nodes[v if tips == [u] else u]
    result: float = round(length - half_widths * foot["half_width"], _DECIMALS)
    return result


def _dead_ends(graph: nx.MultiGraph) -> Iterator[Step]:
    for u, v, key in graph.edges(keys=True):
        if u != v and 1 in (graph.degree(u), graph.degree(v)):
            yield u, v, key


def _without(graph: nx.MultiGraph, spur: Step) -> list[Step]:
    """Remove a spur; returns the dead end that merging at its foot has made, if any."""
    u, v, _ = spur
    tips = [node for node in (u, v) if graph.degree(node) == 1]
    feet = [node for node in (u, v) if node not in tips]
    graph.remove_nodes_from(tips)
    merged = [merge_node(graph, foot) for foot in feet]
    return [
        step
        for step in merged
        if step and step[0] != step[1] and 1 in (graph.degree(step[0]), graph.degree(step[1]))
    ]


def drop_small_networks(graph: nx.MultiGraph, min_length: float, size: tuple[float, float]) -> None:
    """Remove connected parts with less road than `min_length`, in place.

    Those with a node on the border of the tile, whose `size` is in metres, are kept.
    """
    for part in list(nx.connected_components(graph)):
        length = sum(length for *_, length in graph.edges(part, data="length"))
        if length < min_length and not any(_on_border(graph.nodes[node], size) for node in part):
            graph.remove_nodes_from(part)


def _on_border(data: dict[str, Any], size: tuple[float, float]) -> bool:
    x, y = data["x"], data["y"]
    result: bool = min(x, y, size[0] - x, size[1] - y) < BORDER_M
    return result
