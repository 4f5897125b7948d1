"""Components too small to matter, as the reference APLS program's reader drops them."""

from __future__ import annotations

import networkx as nx


def drop_small_components(graph: nx.MultiGraph, min_length_m: float) -> nx.MultiGraph:
    """The network without components whose longest shortest path is below `min_length_m` metres.

    Paths run between nodes; on a ring at a single node the longest is half the way round. Counted
    in `graph.graph["dropped"]`.
    """
    small = [
        component
        for component in nx.connected_components(graph)
        if _longest_path(graph.subgraph(component), min_length_m) < min_length_m
    ]
    if small:
        graph.remove_nodes_from([node for component in small for node in component])
        dropped = graph.graph.setdefault("dropped", {})
        dropped["component below the minimum"] = len(small)
    return graph


def _longest_path(component: nx.MultiGraph, enough: float) -> float:
    """The longest shortest path in metres, or `enough` as soon as one is as long."""
    longest = max(
        (length / 2 for u, v, length in nx.selfloop_edges(component, data="length")), default=0.0
    )
    for node in component:
        if longest >= enough:
            break
        reached = nx.single_source_dijkstra_path_length(component, node, weight="length")
        longest = max(longest, *reached.values())
    return longest
