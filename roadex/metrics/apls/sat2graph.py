"""APLS as in the Go program of the graph-extraction papers (RoadTracer, Sat2Graph, SAM-Road).

It works on a dense graph whose nodes lie about 2 m apart (commit 7ca4a34). The original is not
deterministic, and thins its control points along the wrong graph; this one is deterministic and
thins along the right one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from roadex.config.metrics import AplsSettings
from roadex.metrics.apls.routes import RouteRules, Routes, all_missing
from roadex.metrics.distances import Distances, Places
from roadex.metrics.roads import Floats, Integers, Roads

# The program works in degrees of 111,111 m and merges nodes at 1e-7 degrees.
MERGE_M = 1e-7 * 111_111
DENSE_ABOVE_M, DENSE_STEP_M = 3.0, 2.0
CELL_M = 2.0
NEAREST = 10
# Candidates this near a chosen point, along the road, are left out: the two walks along a chain
# place their points up to one hop apart.
THIN_HOPS = 2


@dataclass(frozen=True)
class Constants:
    """The numbers that the program changes for small tiles (hops are steps of the dense graph).

    Attributes:
        tile: side of the tile in metres.
        margin: no control points nearer the tile's border.
        placed: a truth that does not lie in a tile at (0, 0) is put this far inside its tile.
        largest: a truth within (0, 0) and this is taken to lie in its tile.
        interval: longest spacing of control points in hops.
        long_chain: chains of more nodes get points between their ends.
        apart: snapped points keep this many hops apart.
    """

    tile: float
    margin: float
    placed: float
    largest: float
    interval: int
    long_chain: int
    apart: int


LARGE_TILE = Constants(2048, 100, 150, 2048, 25, 37, 4)
# SpaceNet tiles are 400 m wide; the program assumes 352 m.
SMALL_TILE = Constants(352, 30, 40, 400, 15, 22, 3)


@dataclass(frozen=True)
class DenseGraph:
    """A network cut into short pieces: positions (n, 2) in metres, ends (m, 2), weights (m,)."""

    positions: Floats
    ends: Integers
    weights: Floats
    neighbours: list[list[int]]


def compare(real: Roads, drawn: Roads, settings: AplsSettings) -> tuple[Routes, Routes]:
    """The routes of the truth in the proposal, and those of the proposal in the truth."""
    origin = tile_origin(real, settings)
    graphs = [densify(roads) for roads in (real, drawn)]
    distances = [Distances(len(g.positions), g.ends, g.weights) for g in graphs]
    own, other = zip(graphs, distances, strict=True)
    return _one_way(own, other, origin, settings), _one_way(other, own, origin, settings)


def unmatched(roads: Roads, settings: AplsSettings) -> Routes:
    """The routes of a network where the other network has no road."""
    constants = SMALL_TILE if settings.spacenet else LARGE_TILE
    graph = densify(roads)
    distances = Distances(len(graph.positions), graph.ends, graph.weights)
    points = _control_points(graph, tile_origin(roads, settings), constants, settings)
    anchors = distances.anchors(_on_nodes(points))
    return all_missing(graph.positions[points], distances, anchors, _rules(settings))


def _rules(settings: AplsSettings) -> RouteRules:
    # Here routes must be longer than the minimum; being equally long is not enough.
    return RouteRules(float(np.nextafter(settings.route_minimum, np.inf)), missing_always=True)


def _one_way(
    own: tuple[DenseGraph, Distances],
    other: tuple[DenseGraph, Distances],
    origin: Floats,
    settings: AplsSettings,
) -> Routes:
    constants = SMALL_TILE if settings.spacenet else LARGE_TILE
    (graph, there), distances = (own[0], other[0]), (own[1], other[1])
    points = _control_points(graph, origin, constants, settings)
    snapped = _snap(graph.positions[points], there, settings.snap, constants.apart)
    order = np.argsort(snapped < 0, kind="stable")
    points, snapped = points[order], snapped[order]
    present = int((snapped >= 0).sum())
    return Routes(
        points=graph.positions[points],
        present=present,
        own=distances[0],
        own_anchors=distances[0].anchors(_on_nodes(points)),
        other=distances[1],
        other_anchors=distances[1].anchors(_on_nodes(snapped[:present])),
        overtaken=0,
        rules=_rules(settings),
    )


def tile_origin(truth: Roads, settings: AplsSettings) -> Floats:
    """Lower corner (x, y) of the tile that the truth lies in, in metres."""
    if settings.tile_origin is not None:
        return np.array(settings.tile_origin, dtype=float)
    constants = SMALL_TILE if settings.spacenet else LARGE_TILE
    points = np.concatenate([truth.positions, *truth.lines])
    if (points >= 0).all() and (points <= constants.largest).all():
        return np.zeros(2)
    return np.asarray(points.min(axis=0) - constants.placed)


def densify(roads: Roads) -> DenseGraph:
    """Cut every straight piece over 3 m into int(d / 2) + 1 equal ones, lengths truncated to cm."""
    starts = np.concatenate([line[:-1] for line in roads.lines])
    steps = np.concatenate([np.diff(line, axis=0) for line in roads.lines])
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    cuts = (lengths / DENSE_STEP_M).astype(np.int64) + 1
    pieces = np.where(lengths > DENSE_ABOVE_M, cuts, 1)
    piece = np.repeat(np.arange(len(pieces)), pieces + 1)
    first = np.cumsum(pieces + 1) - (pieces + 1)
    share = (np.arange(len(piece)) - first[piece]) / pieces[piece]
    points = starts[piece] + share[:, None] * steps[piece]
    node, positions = _merge_points(np.concatenate([roads.positions, points]))
    node = node[len(roads.positions) :]
    inside = piece[1:] == piece[:-1]
    ends = np.column_stack([node[:-1], node[1:]])[inside]
    # 1e-9: the division must not lose a centimetre to rounding.
    weights = np.floor(lengths / pieces * 100 + 1e-9)[piece[1:]][inside] / 100
    return _without_repeats(positions, ends, weights)


def _merge_points(points: Floats) -> tuple[Integers, Floats]:
    """Number of each point among the distinct ones, which keep the order they come in."""
    keys = np.floor(points / MERGE_M).astype(np.int64)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return rank[inverse.ravel()], points[np.sort(first)]


def _without_repeats(positions: Floats, ends: Integers, weights: Floats) -> DenseGraph:
    proper = ends[:, 0] != ends[:, 1]
    ends, weights = ends[proper], weights[proper]
    _, first = np.unique(np.sort(ends, axis=1), axis=0, return_index=True)
    ends, weights = ends[np.sort(first)], weights[np.sort(first)]
    neighbours: list[list[int]] = [[] for _ in positions]
    for u, v in ends.tolist():
        neighbours[u].append(v)
        neighbours[v].append(u)
    return DenseGraph(positions, ends, weights, neighbours)


def _control_points(
    graph: DenseGraph, origin: Floats, constants: Constants, settings: AplsSettings
) -> Integers:
    """Numbers of the dense nodes that are control points: ends of chains and points on them."""
    inside = graph.positions - origin
    middle = constants.tile / 2
    allowed = np.abs(inside - middle).max(axis=1) < middle - constants.margin
    cells = np.floor(inside / CELL_M).astype(np.int64).tolist()
    chosen: list[int] = []
    taken: set[tuple[int, int]] = set()
    near: set[int] = set()
    for node in _candidates(graph, constants, settings):
        cell = (cells[node][0], cells[node][1])
        if allowed[node] and cell not in taken and node not in near:
            chosen.append(node)
            taken.add(cell)
            near |= _within_hops(graph, node, THIN_HOPS)
    return np.array(chosen, dtype=np.int64)


def _candidates(graph: DenseGraph, constants: Constants, settings: AplsSettings) -> Iterator[int]:
    interval = settings.interval or constants.interval
    long_chain = int(1.5 * interval) if settings.spacenet else constants.long_chain
    for chain in _chains(graph):
        nodes = len(chain)
        if nodes > long_chain:
            parts = int(nodes / interval) + 1
            yield from (chain[int(nodes * part / parts)] for part in range(1, parts))
        yield chain[-1]


def _chains(graph: DenseGraph) -> Iterator[list[int]]:
    """Every chain from a node of degree other than 2 to the next, walked from both its ends."""
    for start, beside in enumerate(graph.neighbours):
        if len(beside) == 2:
            continue
        for step in beside:
            chain = [start, step]
            while len(graph.neighbours[chain[-1]]) == 2:
                first, second = graph.neighbours[chain[-1]]
                chain.append(second if first == chain[-2] else first)
            yield chain


def _within_hops(graph: DenseGraph, node: int, hops: int) -> set[int]:
    reached, edge = {node}, {node}
    for _ in range(hops):
        edge = {other for inner in edge for other in graph.neighbours[inner]} - reached
        reached |= edge
    return reached


def _snap(points: Floats, graph: DenseGraph, reach: float, apart: int) -> Integers:
    """A dense node for each point (p, 2), each in reach and none too near another; else -1."""
    snapped = np.full(len(points), -1, dtype=np.int64)
    if len(points) == 0:
        return snapped
    count = min(NEAREST, len(graph.positions))
    gaps, nodes = cKDTree(graph.positions).query(points, k=count)
    gaps, nodes = gaps.reshape(-1, count), nodes.reshape(-1, count)
    taken: set[int] = set()
    for index, (near, candidates) in enumerate(zip(gaps.tolist(), nodes.tolist(), strict=True)):
        for gap, node in zip(near, candidates, strict=True):
            if gap < reach and node not in taken:
                snapped[index] = node
                taken |= _within_hops(graph, node, apart)
                break
    return snapped


def _on_nodes(nodes: Integers) -> Places:
    return Places(nodes, np.full(len(nodes), -1), np.zeros(len(nodes)))
