"""The roads of blocks tied together into the network of the whole image."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import networkx as nx
import numpy as np
from scipy.spatial import cKDTree

from roadex.config.graph import DecodingSettings, GraphSettings
from roadex.graph.blocks import ATTRIBUTES, SHARED, TICKS, BlockRoads, Key
from roadex.graph.frame import extent
from roadex.graph.network import (
    add_road,
    empty_network,
    merge_node,
    oriented,
    polyline_length,
    position,
)
from roadex.graph.prune import drop_small_networks
from roadex.graph.simplify import simplify_roads, tolerance_of

# Ends of two blocks that lie so near to each other on their common line, in pixels, are one.
_NEAR_PX = 2.5
_STEPS_PER_PX = 4  # nodes are called after their place to a quarter of a pixel


def joined(
    blocks: Iterable[BlockRoads],
    shape: tuple[int, int],
    pixel: tuple[float, float],
    settings: GraphSettings,
) -> nx.MultiGraph:
    """The network of an image from the roads of its blocks, in metres in its frame.

    It is the same in whatever order the blocks were made. Nodes are numbers that tell their place
    on the image, so that what changes in one place renames nothing elsewhere.
    `graph.graph["undecided"]` counts the ends at lines between blocks that met no other.

    Args:
        blocks: in the order of their rows and columns.
        shape: rows and columns of the image.
        pixel: metres per pixel along x and y.
    """
    graph = empty_network()
    for block in blocks:
        _add(graph, block)
    graph.graph["undecided"] = _tie(graph, pixel)
    for node in sorted(node for node in graph if node[2] == SHARED):
        merge_node(graph, node)
    cut = [(u, v, k) for u, v, k, whole in graph.edges(keys=True, data="whole") if whole != 1.0]
    simplify_roads(graph.edge_subgraph(cut), tolerance_of(settings, pixel))
    if isinstance(settings, DecodingSettings) and settings.min_network_m:
        drop_small_networks(graph, settings.min_network_m, extent(shape, pixel))
    return _named_by_place(graph)


def _add(graph: nx.MultiGraph, block: BlockRoads) -> None:
    """Add a block's roads; `whole` is 1.0 for those that are complete."""
    bounds = block.offsets.tolist()
    for i, (start, stop) in enumerate(block.ends.tolist()):
        values = zip(ATTRIBUTES, block.values[i].tolist(), strict=True)
        known = {name: value for name, value in values if not np.isnan(value)}
        line = block.points[bounds[i] : bounds[i + 1]]
        add_road(graph, tuple(start), tuple(stop), line, whole=float(block.whole[i]), **known)


def _tie(graph: nx.MultiGraph, pixel: tuple[float, float]) -> int:
    """Make one of two loose ends that lie beside each other; returns how many are left."""
    loose = sorted(n for n, degree in graph.degree if degree == 1 and n[2] == SHARED)
    if len(loose) < 2:
        return len(loose)
    places = np.array([node[:2] for node in loose]) / TICKS
    pairs = cKDTree(places).query_pairs(_NEAR_PX, output_type="ndarray")
    apart = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T)
    free = set(loose)
    for i in np.lexsort((pairs[:, 1], pairs[:, 0], apart)).tolist():
        kept, other = loose[pairs[i, 0]], loose[pairs[i, 1]]
        if {kept, other} <= free and not graph.has_edge(kept, other):
            free -= {kept, other}
            _move_end(graph, other, kept)
    return len(free)


def _move_end(graph: nx.MultiGraph, end: Key, target: Key) -> None:
    """Let the road that ends at `end` end at `target`."""
    ((_, other, key),) = graph.edges(end, keys=True)
    line, data = oriented(graph, end, other, key).copy(), dict(graph.edges[end, other, key])
    line[0] = position(graph, target)
    graph.remove_node(end)
    data = {**data, "length": polyline_length(line)}
    data.pop("geometry")
    add_road(graph, target, other, line, **data)


def _named_by_place(graph: nx.MultiGraph) -> nx.MultiGraph:
    """A copy whose nodes and roads are in the order of their places."""
    names: dict[Hashable, int] = {}
    used: set[int] = set()
    for node in sorted(graph, key=lambda node: (node[1], node[0], node[2])):
        x, y = (value * _STEPS_PER_PX // TICKS for value in node[:2])
        name = (y << 24) + x
        while name in used:
            name += 1
        used.add(name)
        names[node] = name
    result = nx.MultiGraph(**graph.graph)
    for node, name in names.items():
        result.add_node(name, **graph.nodes[node])
    roads = [
        (*sorted((names[u], names[v])), data["geometry"].tobytes(), data)
        for u, v, data in graph.edges(data=True)
    ]
    for u, v, _, data in sorted(roads, key=lambda road: road[:3]):
        key = result.add_edge(u, v)
        kept = {name: value for name, value in data.items() if name != "whole"}
        result.edges[u, v, key].update(kept)
    return result
