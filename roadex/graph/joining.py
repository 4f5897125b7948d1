"""The roads of blocks tied together into the network of the whole image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx
import numpy as np
from scipy.spatial import cKDTree

from roadex.config.graph import DecodingSettings, GraphSettings
from roadex.graph.blocks import SHARED, TICKS, BlockRoads, Key
from roadex.graph.frame import extent
from roadex.graph.network import (
    add_like,
    add_road,
    empty_network,
    merge_node,
    oriented,
    polyline_length,
    position,
)
from roadex.graph.repair import BORDER_M
from roadex.graph.road_table import ATTRIBUTES, RoadTable
from roadex.graph.simplify import simplify_roads, tolerance_of
from roadex.graph.skeleton import Floats, Ints

# Ends of two blocks that lie this near to each other on their common line, in pixels, are one.
_NEAR_PX = 2.5
_STEPS_PER_PX = 4  # nodes are named after their place, rounded to a quarter of a pixel


def joined(
    blocks: Iterable[BlockRoads],
    shape: tuple[int, int],
    pixel: tuple[float, float],
    settings: GraphSettings,
) -> tuple[RoadTable, int]:
    """The network of an image from the roads of its blocks, in metres in its frame.

    The result does not depend on the order in which the blocks were made. The numbers of nodes come
    from their place on the image, so that a change in one place renames nothing elsewhere. Only
    roads that lead from block to block become a graph of networkx; complete ones stay arrays.

    Args:
        blocks: in the order of their rows and columns.
        shape: rows and columns of the image.
        pixel: metres per pixel along x and y.

    Returns:
        The network, and the number of ends at lines between blocks without a counterpart.
    """
    cut, whole = empty_network(), []
    for block in blocks:
        whole.append(_whole(block))
        _add_cut(cut, block)
    undecided = _tie(cut, pixel)
    for node in sorted(node for node in cut if node[2] == SHARED):
        merge_node(cut, node)
    simplify_roads(cut, tolerance_of(settings, pixel))
    table = _named_by_place(_together([*whole, _of_graph(cut)]), pixel)
    if isinstance(settings, DecodingSettings) and settings.min_network_m:
        table = _without_small_networks(table, settings.min_network_m, extent(shape, pixel))
    return table, undecided


@dataclass(frozen=True)
class _Roads:
    """Roads with their nodes by place: `ends` as in `BlockRoads`, the rest as in `RoadTable`."""

    ends: Ints
    points: Floats
    counts: Ints
    lengths: Floats
    values: Floats


def _whole(block: BlockRoads) -> _Roads:
    """The roads of a block that are complete."""
    counts = np.diff(block.offsets)
    points = block.points[np.repeat(block.whole, counts)]
    counts = counts[block.whole]
    lines = np.split(points, np.cumsum(counts)[:-1]) if len(counts) else []
    lengths = np.array([polyline_length(line) for line in lines], dtype=np.float64)
    return _Roads(block.ends[block.whole], points, counts, lengths, block.values[block.whole])


def _add_cut(graph: nx.MultiGraph, block: BlockRoads) -> None:
    """Add the roads of a block that continue in another."""
    bounds = block.offsets.tolist()
    for i in np.flatnonzero(~block.whole).tolist():
        start, stop = block.ends[i].tolist()
        values = zip(ATTRIBUTES, block.values[i].tolist(), strict=True)
        known = {name: value for name, value in values if not np.isnan(value)}
        line = block.points[bounds[i] : bounds[i + 1]]
        add_road(graph, tuple(start), tuple(stop), line, **known)


def _of_graph(graph: nx.MultiGraph) -> _Roads:
    roads = list(graph.edges(data=True))
    lines = [data["geometry"] for *_, data in roads]
    values = [[data.get(name, np.nan) for name in ATTRIBUTES] for *_, data in roads]
    return _Roads(
        np.array([(u, v) for u, v, _ in roads], dtype=np.int64).reshape(-1, 2, 3),
        np.concatenate(lines) if lines else np.zeros((0, 2)),
        np.array([len(line) for line in lines], dtype=np.int64),
        np.array([data["length"] for *_, data in roads], dtype=np.float64),
        np.array(values, dtype=np.float64).reshape(-1, len(ATTRIBUTES)),
    )


def _together(parts: list[_Roads]) -> _Roads:
    names = _Roads.__dataclass_fields__
    return _Roads(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})


def _named_by_place(roads: _Roads, pixel: tuple[float, float]) -> RoadTable:
    """The network, its nodes and roads in the order of their places."""
    nodes = roads.ends.reshape(-1, 3)
    order = np.lexsort((nodes[:, 2], nodes[:, 0], nodes[:, 1]))
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(nodes[order], axis=0) != 0).any(axis=1)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    nodes, ends = nodes[order[new]], number.reshape(-1, 2)
    names = _names(nodes)
    turned = names[ends[:, 0]] > names[ends[:, 1]]
    ends[turned] = ends[turned, ::-1]
    offsets = np.concatenate([[0], np.cumsum(roads.counts)])
    in_order = _order(names[ends], roads.points, offsets)
    picked = np.repeat(offsets[:-1][in_order], roads.counts[in_order])
    starts = np.concatenate([[0], np.cumsum(roads.counts[in_order])])
    along = np.arange(starts[-1]) - np.repeat(starts[:-1], roads.counts[in_order])
    return RoadTable(
        names,
        nodes[:, :2] / TICKS * pixel,
        ends[in_order],
        roads.points[picked + along],
        starts,
        roads.lengths[in_order],
        roads.values[in_order],
        ATTRIBUTES,
    )


def named_by_place(graph: nx.MultiGraph, pixel: tuple[float, float]) -> nx.MultiGraph:
    """A network as `joined` gives it: nodes named after their place, in that order.

    Args:
        graph: in metres in the frame of an image.
        pixel: metres per pixel along x and y.
    """
    nodes = list(graph)
    places = np.array([position(graph, node) for node in nodes], np.float64).reshape(-1, 2)
    ticks = np.rint(places / pixel * TICKS).astype(np.int64)
    order = np.lexsort((ticks[:, 0], ticks[:, 1]))
    names = _names(ticks[order]).tolist()
    called = {nodes[i]: name for i, name in zip(order.tolist(), names, strict=True)}
    result = nx.MultiGraph(**graph.graph)
    result.add_nodes_from((name, graph.nodes[node]) for node, name in called.items())
    roads = [(*sorted((called[u], called[v])), data) for u, v, data in graph.edges(data=True)]
    roads.sort(key=lambda road: (road[0], road[1], road[2]["geometry"].tobytes()))
    for u, v, data in roads:
        add_like(result, u, v, data)
    return result


def _names(nodes: Ints) -> Ints:
    """Names (n,) after the places of nodes (n, 3); of two at one place the second is one more."""
    places = nodes[:, :2] * _STEPS_PER_PX // TICKS
    names = ((places[:, 1] << 24) + places[:, 0]).tolist()
    used: set[int] = set()
    for i, name in enumerate(names):
        while name in used:
            name += 1
        used.add(name)
        names[i] = name
    return np.array(names, dtype=np.int64)


def _order(ends: Ints, points: Floats, offsets: Ints) -> Ints:
    """Roads in the order of their nodes' names (m, 2); those of the same nodes by their lines."""
    order: Ints = np.lexsort((ends[:, 1], ends[:, 0]))
    same = np.concatenate([[False], (np.diff(ends[order], axis=0) == 0).all(axis=1), [False]])
    starts = np.flatnonzero(~same[:-1] & same[1:])
    stops = np.flatnonzero(same[:-1] & ~same[1:]) + 1
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        order[start:stop] = sorted(
            order[start:stop].tolist(),
            key=lambda road: points[offsets[road] : offsets[road + 1]].tobytes(),
        )
    return order


def _without_small_networks(
    table: RoadTable, min_length: float, size: tuple[float, float]
) -> RoadTable:
    """Without the parts that `drop_small_networks` drops."""
    count, parts = table.components()
    lengths = np.bincount(parts[table.ends[:, 0]], table.lengths, minlength=count)
    kept = lengths >= min_length
    margin = np.minimum(table.places, np.array(size) - table.places).min(axis=1)
    kept[parts[margin < BORDER_M]] = True
    return table.kept(kept[parts])


def _tie(graph: nx.MultiGraph, pixel: tuple[float, float]) -> int:
    """Make one of two loose ends that lie beside each other; returns the number left."""
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
