"""Insert the control points of one network into another in sequence, as the reference does.

A point cuts the nearest piece of road, or takes the node at its end. The pieces that it finds
depend on the points before it, so the rule is sequential (`_Cutter`). Most points lie far from all
others; their order does not matter, and they are placed together (`_sort_out`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.metrics.distances import Places
from roadex.metrics.roads import Floats, Integers, Roads, cumulative_lengths

Flags = NDArray[np.bool_]

# A control point takes a node only where the node lies within this of it in x and in y.
NODE_TOLERANCE = 0.05
# Distances to an edge and to its pieces differ by rounding (1e-9 m at UTM coordinates).
ROUNDING = 1e-6


@dataclass(frozen=True)
class Snapped:
    """Where control points came to lie on the other network.

    Attributes:
        found: (p,) whether a point has a place of its own there.
        places: the places, meaningless where not found.
        weights: (m,) edge lengths after cutting: planar where cut, else unchanged.
        overtaken: how many points lost their place to a later one.
    """

    found: Flags
    places: Places
    weights: Floats
    overtaken: int


def snap_points(points: Floats, roads: Roads, reach: float, renaming: bool) -> Snapped:
    """Insert points (p, 2) into a network, each into the nearest road within `reach` metres.

    With `renaming` a point that lands on a node, or on the place of an earlier point, takes it
    over, and the earlier point is no longer found; without it both stay.
    """
    shapes, lines = shapely.points(points), line_shapes(roads)
    pairs = _candidates(shapes, lines, reach)
    sorted_out = _sort_out(pairs, roads, reach)
    cutter = _Cutter(roads, lines, renaming)
    for point, node, pair, end in sorted_out.in_turn:
        if node >= 0:
            cutter.take(node, point)
        else:
            cutter.insert(point, shapes[point], pairs.part(pair, end), reach)
    return _collect(len(points), roads, pairs, sorted_out.clear, cutter)


@dataclass(frozen=True)
class _Pairs:
    """Points and the edges that can be nearest to them, ordered by point, then by edge.

    Attributes:
        point, edge: numbers; gap: distance in metres; along: where the point projects onto the
            edge, metres from its start; length: planar length of the edge.
    """

    point: Integers
    edge: Integers
    gap: Floats
    along: Floats
    length: Floats

    def part(self, low: int, high: int) -> _Pairs:
        piece = slice(low, high)
        return _Pairs(
            self.point[piece],
            self.edge[piece],
            self.gap[piece],
            self.along[piece],
            self.length[piece],
        )


@dataclass(frozen=True)
class _SortedOut:
    """Which points can be placed together, and which only in their order.

    Attributes:
        clear: numbers of the pairs whose point simply cuts its edge.
        in_turn: (point, node it takes or -1, its first pair, the end of its pairs), in order.
    """

    clear: Integers
    in_turn: list[tuple[int, int, int, int]]


def line_shapes(roads: Roads) -> NDArray[np.object_]:
    """The polylines as shapely geometries, in edge order."""
    if not roads.lines:
        return np.empty(0, dtype=object)
    counts = [len(line) for line in roads.lines]
    owner = np.repeat(np.arange(len(counts)), counts)
    return np.asarray(shapely.linestrings(np.concatenate(roads.lines), indices=owner))


def _candidates(shapes: NDArray[np.object_], lines: NDArray[np.object_], reach: float) -> _Pairs:
    """For every point with a road in reach: the edges tied for the nearest, within rounding."""
    tree = shapely.STRtree(lines)
    point, edge = tree.query(shapes, predicate="dwithin", distance=reach + ROUNDING)
    gap = shapely.distance(shapes[point], lines[edge])
    least = np.full(len(shapes), np.inf)
    np.minimum.at(least, point, gap)
    near = np.flatnonzero(gap <= least[point] + ROUNDING)
    near = near[np.lexsort((edge[near], point[near]))]
    point, edge, gap = point[near], edge[near], gap[near]
    along = shapely.line_locate_point(lines[edge], shapes[point])
    return _Pairs(point, edge, gap, along, shapely.length(lines)[edge])


def _sort_out(pairs: _Pairs, roads: Roads, reach: float) -> _SortedOut:
    """Separate clear points, points that take a node, and points that depend on earlier cuts."""
    node = _end_nodes(pairs, roads)
    starts = np.flatnonzero(np.diff(pairs.point, prepend=-1))
    counts = np.diff(np.append(starts, len(pairs.point)))
    first_node = np.repeat(node[starts], counts)
    # All the edges of such a point end in one node, so it does not matter which is nearest.
    on_node = np.repeat(np.logical_and.reduceat((node >= 0) & (node == first_node), starts), counts)
    alone = np.repeat(counts == 1, counts)
    inside = (pairs.along > 2 * NODE_TOLERANCE) & (pairs.along < pairs.length - 2 * NODE_TOLERANCE)
    within = pairs.gap < reach - ROUNDING
    unclear = ~within | ~(on_node | (alone & inside)) | _meets_another(pairs, inside)
    slow_edge = np.zeros(len(roads.lines), dtype=bool)
    slow_edge[pairs.edge[unclear]] = True
    slow = np.repeat(np.logical_or.reduceat(slow_edge[pairs.edge], starts), counts)
    taken = np.where(slow, -1, node)[starts]
    turn = np.flatnonzero((slow | on_node)[starts])
    ends = starts + counts
    in_turn = zip(
        pairs.point[starts[turn]].tolist(),
        taken[turn].tolist(),
        starts[turn].tolist(),
        ends[turn].tolist(),
        strict=True,
    )
    return _SortedOut(np.flatnonzero(~slow & ~on_node), list(in_turn))


def _end_nodes(pairs: _Pairs, roads: Roads) -> Integers:
    """The node that a point projecting onto the very end of an edge takes, else -1."""
    at_start, at_end = pairs.along <= 0, pairs.along >= pairs.length
    tips = np.array([(line[0], line[-1]) for line in roads.lines]).reshape(-1, 2, 2)
    spot = tips[pairs.edge, np.where(at_start, 0, 1)]
    ends = roads.ends[pairs.edge]
    # The first end is tried first, whichever end is nearer.
    fits = (np.abs(roads.positions[ends] - spot[:, None]) <= NODE_TOLERANCE).all(axis=2)
    node = np.where(fits[:, 0], ends[:, 0], ends[:, 1])
    return np.where((at_start | at_end) & fits.any(axis=1), node, -1)


def _meets_another(pairs: _Pairs, inside: Flags) -> Flags:
    """Pairs inside an edge whose projection coincides with that of another point."""
    index = np.flatnonzero(inside)
    index = index[np.lexsort((pairs.along[index], pairs.edge[index]))]
    close = (np.diff(pairs.along[index]) <= ROUNDING) & (np.diff(pairs.edge[index]) == 0)
    meets = np.zeros(len(inside), dtype=bool)
    meets[index[:-1][close]] = True
    meets[index[1:][close]] = True
    return meets


def _collect(points: int, roads: Roads, pairs: _Pairs, clear: Integers, cutter: _Cutter) -> Snapped:
    node, edge, offset = np.full(points, -1), np.full(points, -1), np.zeros(points)
    edge[pairs.point[clear]] = pairs.edge[clear]
    offset[pairs.point[clear]] = pairs.along[clear]
    weights = roads.lengths.copy()
    weights[pairs.edge[clear]] = pairs.length[clear]
    cutter.write(node, edge, offset, weights)
    found = (node >= 0) | (edge >= 0)
    return Snapped(found, Places(node, edge, offset), weights, cutter.overtaken)


@dataclass(frozen=True)
class _Piece:
    """Part of an edge, from `start` metres along it, between two nodes (old ones or cuts).

    `order` ranks it as networkx lists it: by the earlier of its nodes, then by age.
    """

    edge: int
    shape: shapely.LineString
    line: Floats
    start: float
    length: float
    ends: tuple[int, int]
    order: tuple[int, int]


class _Cutter:
    """A network that is being cut; nodes beyond the network's own are cuts, in order."""

    def __init__(self, roads: Roads, lines: NDArray[np.object_], renaming: bool) -> None:
        self.overtaken = 0
        self._roads = roads
        self._shapes = lines
        self._lengths = shapely.length(lines)
        self._renaming = renaming
        self._pieces: dict[int, list[_Piece]] = {}
        self._age = len(roads.lines)
        self._cuts: list[tuple[int, float, Floats]] = []
        self._holder: dict[int, int] = {}
        self._place: dict[int, int] = {}

    def insert(self, point: int, shape: shapely.Point, candidates: _Pairs, reach: float) -> None:
        """Insert the next point: cut the nearest piece, or take the node at its end."""
        piece, gap = self._nearest(shape, candidates)
        if gap > reach:
            return
        along = float(shapely.line_locate_point(piece.shape, shape))
        if 0 < along < piece.length:
            self.take(self._cut(piece, along), point)
            return
        spot = piece.line[0 if along <= 0 else -1]
        for node in piece.ends:
            if (np.abs(self._position(node) - spot) <= NODE_TOLERANCE).all():
                self.take(node, point)
                return

    def take(self, node: int, point: int) -> None:
        """Give a node to a point, and with renaming take it from whoever holds it."""
        earlier = self._holder.get(node)
        if earlier is not None and self._renaming:
            del self._place[earlier]
            self.overtaken += 1
        self._holder[node] = point
        self._place[point] = node

    def write(self, node: Integers, edge: Integers, offset: Floats, weights: Floats) -> None:
        """Write the places of the points that have one, and the lengths of the edges cut."""
        nodes = len(self._roads.positions)
        for point, taken in self._place.items():
            if taken < nodes:
                node[point] = taken
            else:
                edge[point], offset[point], _ = self._cuts[taken - nodes]
        for cut_edge in self._pieces:
            weights[cut_edge] = self._lengths[cut_edge]

    def _nearest(self, shape: shapely.Point, candidates: _Pairs) -> tuple[_Piece, float]:
        """The nearest piece, the first of several, and its distance."""
        pieces = [
            piece
            for edge in candidates.edge.tolist()
            for piece in self._pieces.get(edge) or (self._whole(edge),)
        ]
        gaps = shapely.distance([piece.shape for piece in pieces], shape)
        gap = gaps.min()
        tied = [pieces[index] for index in np.flatnonzero(gaps == gap)]
        return min(tied, key=lambda tie: tie.order), float(gap)

    def _whole(self, edge: int) -> _Piece:
        u, v = self._roads.ends[edge].tolist()
        shape, line = self._shapes[edge], self._roads.lines[edge]
        return _Piece(edge, shape, line, 0.0, self._lengths[edge], (u, v), (min(u, v), edge))

    def _cut(self, piece: _Piece, along: float) -> int:
        """Cut a piece `along` metres from its start; returns the new node."""
        node = len(self._roads.positions) + len(self._cuts)
        before, after = cut_line(piece.line, along)
        self._cuts.append((piece.edge, piece.start + along, after[0]))
        pieces = self._pieces.setdefault(piece.edge, [piece])
        index = next(i for i, other in enumerate(pieces) if other.start == piece.start)
        u, v = piece.ends
        pieces[index : index + 1] = [
            self._part(piece, before, piece.start, (u, node)),
            self._part(piece, after, piece.start + along, (node, v)),
        ]
        return node

    def _part(self, whole: _Piece, line: Floats, start: float, ends: tuple[int, int]) -> _Piece:
        shape = shapely.linestrings(line)
        self._age += 1
        order = (min(ends), self._age)
        return _Piece(whole.edge, shape, line, start, shapely.length(shape), ends, order)

    def _position(self, node: int) -> Floats:
        own = self._roads.positions
        return own[node] if node < len(own) else self._cuts[node - len(own)][2]


def cut_line(line: Floats, along: float) -> tuple[Floats, Floats]:
    """The two parts of a polyline (k, 2) cut strictly inside, `along` metres from its start."""
    vertices = cumulative_lengths(line)
    index = int(np.searchsorted(vertices[1:-1], along)) + 1
    if index < len(line) - 1 and vertices[index] == along:
        return line[: index + 1], line[index:]
    share = (along - vertices[index - 1]) / (vertices[index] - vertices[index - 1])
    point = line[index - 1] + share * (line[index] - line[index - 1])
    return np.vstack((line[:index], point)), np.vstack((point, line[index:]))
