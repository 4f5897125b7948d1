"""Spurs: dead ends too short to be roads."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import networkx as nx

from roadex.graph.network import Step, merge_node


def prune_spurs(graph: nx.MultiGraph, min_length: float) -> None:
    """Remove dead ends shorter than `min_length`, in place.

    The shortest goes first, and the two roads left at its foot become one before the next is
    judged. So the end of a long road with spurs near it stays as long as it is, and of a small
    network the longest line remains unless even that is too short. Rings stay.
    """
    queue = [(graph.edges[step]["length"], i, step) for i, step in enumerate(_dead_ends(graph))]
    heapq.heapify(queue)
    serial = len(queue)
    while queue and queue[0][0] < min_length:
        length, _, (u, v, key) = heapq.heappop(queue)
        if not graph.has_edge(u, v, key) or graph.edges[u, v, key]["length"] != length:
            continue
        for step in _without(graph, (u, v, key)):
            serial += 1
            heapq.heappush(queue, (graph.edges[step]["length"], serial, step))


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
