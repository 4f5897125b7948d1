"""Spurs: dead ends too short to be roads."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import networkx as nx

from roadex.graph.network import Step, merge_node

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
