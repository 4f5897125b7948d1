"""From lines to the road graph: where lines of one layer meet there are junctions."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any

import networkx as nx
import numpy as np
import shapely

from roadex.graph.network import (
    add_road,
    empty_network,
    merge_degree_two,
    oriented,
    polyline_length,
    position,
)
from roadex.world.frame import FloatArray
from roadex.world.roads import ROAD_CLASSES, Road

_GRID_M = 0.01  # lines that come this close meet
_STUB_M = 11.0
_SHORT_M = 9.0
_TWIN_M = 7.0


def build_network(roads: list[Road], widths: dict[str, float]) -> nx.MultiGraph:
    """The graph of all roads: noded within each layer, tidied, roads running from end or junction
    to end or junction. Edges have `road_class`, `width_m` and `layer`.
    """
    graph = empty_network()
    for layer in sorted({road.layer for road in roads}):
        _add_layer(graph, [road for road in roads if road.layer == layer], widths)
    _drop_stubs(graph)
    _contract_short(graph)
    _drop_clashing(graph)
    _drop_fragments(graph)
    return _uniform(merge_degree_two(graph), widths)


def _add_layer(graph: nx.MultiGraph, roads: list[Road], widths: dict[str, float]) -> None:
    lines = np.array([shapely.LineString(road.line) for road in roads])
    pieces = shapely.get_parts(shapely.union_all(lines, grid_size=_GRID_M))
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    _, owners = shapely.STRtree(lines).query_nearest(middles, all_matches=False)
    for piece, owner in zip(pieces, owners, strict=True):
        road, line = roads[int(owner)], shapely.get_coordinates(piece)
        ends = [
            (road.layer, *np.round(tip / _GRID_M).astype(int).tolist()) for tip in line[[0, -1]]
        ]
        add_road(graph, ends[0], ends[1], line, road_class=road.road_class, layer=road.layer)


def _uniform(graph: nx.MultiGraph, widths: dict[str, float]) -> nx.MultiGraph:
    """The graph with whole numbers for nodes and the width of each road's class."""
    for _, _, data in graph.edges(data=True):
        data["width_m"] = widths[data["road_class"]]
    return nx.convert_node_labels_to_integers(graph)


def _drop_stubs(graph: nx.MultiGraph) -> None:
    stubs = [
        (u, v, key)
        for u, v, key, data in graph.edges(keys=True, data=True)
        if data["length"] < _STUB_M and min(graph.degree(u), graph.degree(v)) == 1
    ]
    graph.remove_edges_from(stubs)
    graph.remove_nodes_from(list(nx.isolates(graph)))


def _contract_short(graph: nx.MultiGraph) -> None:
    """Draw junctions together that nearly coincide."""
    for u, v, key in list(graph.edges(keys=True)):
        if u == v or not graph.has_edge(u, v, key):
            continue
        if graph.edges[u, v, key]["length"] < _SHORT_M:
            _contract(graph, u, v)


def _contract(graph: nx.MultiGraph, kept: Hashable, gone: Hashable) -> None:
    for _, far, key in list(graph.edges(gone, keys=True)):
        data = dict(graph.edges[gone, far, key])
        if far in (kept, gone):
            continue
        line = oriented(graph, gone, far, key).copy()
        line[0] = position(graph, kept)
        del data["geometry"], data["length"]
        add_road(graph, kept, far, line, **data)
    graph.remove_node(gone)


def _drop_clashing(graph: nx.MultiGraph) -> None:
    """Remove the lesser of two roads of a layer that cross without a junction or nearly coincide.

    Drawing their ends together can have caused either.
    """
    edges = sorted(
        graph.edges(keys=True, data=True),
        key=lambda edge: (ROAD_CLASSES[edge[3]["road_class"]].rank, -edge[3]["length"]),
    )
    lines = np.array([shapely.LineString(edge[3]["geometry"]) for edge in edges], dtype=object)
    tree = shapely.STRtree(lines)
    clashes = {(max(pair), min(pair)) for pair in tree.query(lines, "crosses").T.tolist()}
    beside = [
        shapely.line_interpolate_point(lines, share, normalized=True) for share in (0.25, 0.5, 0.8)
    ]
    for pair in tree.query(beside[0], "dwithin", _TWIN_M).T.tolist():
        if pair[0] > pair[1] and all(
            shapely.dwithin(points[pair[0]], lines[pair[1]], _TWIN_M) for points in beside
        ):
            clashes.add((pair[0], pair[1]))
    doomed = {a for a, b in clashes if edges[a][3]["layer"] == edges[b][3]["layer"]}
    graph.remove_edges_from([edges[number][:3] for number in doomed])
    graph.remove_nodes_from(list(nx.isolates(graph)))


def _drop_fragments(graph: nx.MultiGraph, least_m: float = 45.0) -> None:
    """Remove bits of road that lead nowhere."""
    for nodes in list(nx.connected_components(graph)):
        lengths = [length for *_, length in graph.subgraph(nodes).edges(data="length")]
        if sum(lengths) < least_m:
            graph.remove_nodes_from(nodes)


def add_roundabouts(
    graph: nx.MultiGraph, rng: np.random.Generator, share: float, inside_m: float
) -> list[tuple[FloatArray, float]]:
    """Turn a share of the junctions with room for it into rings, in place.

    Only junctions whose x and y lie in 0..inside_m count.

    Returns:
        Centre (2,) in metres and radius of each ring's centreline.
    """
    rings = []
    for node in list(graph):
        if rng.random() < share and _has_room(graph, node, inside_m):
            radius = float(rng.uniform(9.5, 15.0))
            centre = np.array(position(graph, node))
            _replace_by_ring(graph, node, radius)
            rings.append((centre, radius))
    return rings


def _has_room(graph: nx.MultiGraph, node: Hashable, inside_m: float) -> bool:
    arms = list(graph.edges(node, data=True))
    ranks = [ROAD_CLASSES[data["road_class"]].rank for *_, data in arms]
    inside = all(0 < value < inside_m for value in position(graph, node))
    roomy = all(data["length"] > 52 and u != v for u, v, data in arms)
    suited = 3 <= len(arms) <= 5 and min(ranks) >= 1 and max(ranks) <= 3
    return inside and roomy and suited and _clear_of_others(graph, node, 24.0)


def _clear_of_others(graph: nx.MultiGraph, node: Hashable, away_m: float) -> bool:
    """Whether no road but those that meet at a node comes near it."""
    own = {id(data) for *_, data in graph.edges(node, data=True)}
    others = [
        shapely.LineString(data["geometry"])
        for *_, data in graph.edges(data=True)
        if id(data) not in own
    ]
    here = shapely.Point(position(graph, node))
    return not shapely.dwithin(here, others, away_m).any() if others else True


def _replace_by_ring(graph: nx.MultiGraph, node: Hashable, radius: float) -> None:
    centre = np.array(position(graph, node))
    arms: list[tuple[float, int, Hashable, FloatArray, dict[str, Any]]] = []
    for _, far, key in list(graph.edges(node, keys=True)):
        line = _outside(oriented(graph, node, far, key), centre, radius)
        data = dict(graph.edges[node, far, key])
        del data["geometry"], data["length"]
        entry = max(graph) + 1 if not arms else arms[-1][1] + 1
        arms.append((float(np.arctan2(*(line[0] - centre)[::-1])), entry, far, line, data))
    graph.remove_node(node)
    for _, entry, far, line, data in arms:
        add_road(graph, entry, far, line, **data)
    arms.sort(key=lambda arm: arm[0])
    width = max(arm[4]["width_m"] for arm in arms)
    for (a, start, *_), (b, end, *_) in zip(arms, arms[1:] + arms[:1], strict=True):
        arc = _arc(centre, radius, a, b)
        arc[0], arc[-1] = position(graph, start), position(graph, end)
        traits = {"road_class": "residential", "layer": 0, "width_m": min(width, 7.5)}
        add_road(graph, start, end, arc, **traits)


def _outside(line: FloatArray, centre: FloatArray, radius: float) -> FloatArray:
    """The rest of a line that starts at the centre of a circle, from where it leaves it."""
    reach = np.hypot(*(line - centre).T)
    first = int(np.argmax(reach > radius))
    share = (radius - reach[first - 1]) / (reach[first] - reach[first - 1])
    crossing = line[first - 1] + share * (line[first] - line[first - 1])
    outward = (crossing - centre) / np.hypot(*(crossing - centre))
    return np.vstack([centre + radius * outward, line[first:]])


def _arc(centre: FloatArray, radius: float, a: float, b: float) -> FloatArray:
    sweep = (b - a) % (2 * np.pi) or 2 * np.pi
    angles = a + np.linspace(0, sweep, max(4, int(sweep * radius / 1.5)))
    return centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])


def mark_turning_circles(graph: nx.MultiGraph, rng: np.random.Generator, share: float) -> None:
    """Give residential dead ends room to turn: nodes get `turning_radius_m`."""
    for node, degree in graph.degree():
        if degree != 1:
            continue
        (_, _, data), *_ = graph.edges(node, data=True)
        drawn = data["road_class"] == "residential" and rng.random() < share
        if drawn and _clear_of_others(graph, node, 18.0):
            graph.nodes[node]["turning_radius_m"] = float(rng.uniform(7.5, 10.5))


def clip_network(
    graph: nx.MultiGraph, side_m: float, keep_apart: Collection[str] = ()
) -> nx.MultiGraph:
    """The part of a network inside the tile; roads that the border cuts end on it.

    Args:
        keep_apart: attributes at whose change a road ends; where the border takes a junction's
            third arm, the other two become one road but for that.
    """
    clipped = empty_network(graph.graph["crs"])
    fresh = max(graph, default=0) + 1
    for u, v, key, data in graph.edges(keys=True, data=True):
        traits = {name: data[name] for name in ("road_class", "width_m", "layer")}
        for line in _inside(oriented(graph, u, v, key), side_m):
            ends = []
            for tip in (line[0], line[-1]):
                known = [n for n in (u, v) if np.allclose(position(graph, n), tip, atol=1e-7)]
                ends.append(known[0] if known else fresh)
                fresh += not known
            add_road(clipped, ends[0], ends[1], line, **traits)
    for node in clipped:
        if node in graph:
            clipped.nodes[node].update(graph.nodes[node])
    return nx.convert_node_labels_to_integers(merge_degree_two(clipped, keep_apart))


def _inside(line: FloatArray, side_m: float) -> list[FloatArray]:
    if line.min() >= 0 and line.max() <= side_m:
        return [line]
    cut = shapely.intersection(shapely.LineString(line), shapely.box(0, 0, side_m, side_m))
    parts = [shapely.get_coordinates(p) for p in shapely.get_parts(cut) if p.length > 0.5]
    return [np.clip(part, 0, side_m) for part in parts if polyline_length(part) > 0]
