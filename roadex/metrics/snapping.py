"""Insert the control points of one network into another, one after the other (metrics.md, 1.4).

A point cuts the nearest piece of road, or takes the node at its end. The nearest piece is sought
among the edges and among the pieces of edges that earlier points have cut: a spatial index names
the edges in reach once, and only edges that have been cut are looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.metrics.distances import Places
from roadex.metrics.roads import Floats, Integers, Roads, cumulative_lengths

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
        weights: (m,) edge lengths after cutting: planar where cut, else as they came.
        overtaken: how many points lost their place to a later one.
    """

    found: NDArray[np.bool_]
    places: Places
    weights: Floats
    overtaken: int


def snap_points(points: Floats, roads: Roads, reach: float, renaming: bool) -> Snapped:
    """Insert points (p, 2) into a network, each into the nearest road within `reach` metres.

    With `renaming` a point that lands on a node, or on the place of an earlier point, takes it over
    and the one that held it is no longer found; without, both stay.
    """
    cutter = _Cutter(roads, renaming)
    shapes = shapely.points(points)
    for candidates in _candidates(shapes, roads, reach):
        cutter.insert(shapes[candidates.point], candidates, reach)
    return cutter.result(len(points))


@dataclass(frozen=True)
class _Candidates:
    """The edges that can be nearest to a point: their distances, and where on them it projects."""

    point: int
    edges: list[int]
    gaps: list[float]
    along: list[float]


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


_Nearest = tuple[_Piece, float, float]


class _Cutter:
    """A network that is being cut; nodes beyond the network's own are cuts, in order."""

    def __init__(self, roads: Roads, renaming: bool) -> None:
        self._roads = roads
        self._renaming = renaming
        self._shapes = line_shapes(roads)
        self._lengths = shapely.length(self._shapes)
        self._pieces: dict[int, list[_Piece]] = {}
        self._age = len(roads.lines)
        self._cuts: list[tuple[int, float, Floats]] = []
        self._holder: dict[int, int] = {}
        self._place: dict[int, int] = {}
        self._overtaken = 0

    def insert(self, shape: shapely.Point, candidates: _Candidates, reach: float) -> None:
        """Insert the next point."""
        piece, gap, along = self._nearest(shape, candidates)
        if gap > reach:
            return
        if 0 < along < piece.length:
            self._take(self._cut(piece, along), candidates.point)
            return
        spot = piece.line[0 if along <= 0 else -1]
        for node in piece.ends:
            if (np.abs(self._position(node) - spot) <= NODE_TOLERANCE).all():
                self._take(node, candidates.point)
                return

    def result(self, points: int) -> Snapped:
        """Where the points inserted so far lie."""
        nodes = len(self._roads.positions)
        node, edge = np.full(points, -1), np.full(points, -1)
        offset = np.zeros(points)
        for point, taken in self._place.items():
            if taken < nodes:
                node[point] = taken
            else:
                edge[point], offset[point], _ = self._cuts[taken - nodes]
        weights = self._roads.lengths.copy()
        for cut_edge in self._pieces:
            weights[cut_edge] = self._lengths[cut_edge]
        found = (node >= 0) | (edge >= 0)
        return Snapped(found, Places(node, edge, offset), weights, self._overtaken)

    def _nearest(self, shape: shapely.Point, candidates: _Candidates) -> _Nearest:
        """The nearest piece, the first of several, its distance and the projection onto it."""
        if len(candidates.edges) == 1 and candidates.edges[0] not in self._pieces:
            piece = self._whole(candidates.edges[0])
            return piece, candidates.gaps[0], candidates.along[0]
        pieces = [
            piece
            for edge in candidates.edges
            for piece in self._pieces.get(edge) or (self._whole(edge),)
        ]
        gaps = shapely.distance([piece.shape for piece in pieces], shape)
        gap = gaps.min()
        tied = [pieces[index] for index in np.flatnonzero(gaps == gap)]
        piece = min(tied, key=lambda tie: tie.order)
        return piece, float(gap), float(shapely.line_locate_point(piece.shape, shape))

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

    def _take(self, node: int, point: int) -> None:
        """Give a node to a point, and with renaming take it from whoever holds it."""
        earlier = self._holder.get(node)
        if earlier is not None and self._renaming:
            del self._place[earlier]
            self._overtaken += 1
        self._holder[node] = point
        self._place[point] = node


def cut_line(line: Floats, along: float) -> tuple[Floats, Floats]:
    """The two parts of a polyline (k, 2) cut strictly inside, `along` metres from its start."""
    vertices = cumulative_lengths(line)
    index = int(np.searchsorted(vertices[1:-1], along)) + 1
    if index < len(line) - 1 and vertices[index] == along:
        return line[: index + 1], line[index:]
    share = (along - vertices[index - 1]) / (vertices[index] - vertices[index - 1])
    point = line[index - 1] + share * (line[index] - line[index - 1])
    return np.vstack((line[:index], point)), np.vstack((point, line[index:]))


def line_shapes(roads: Roads) -> NDArray[np.object_]:
    """The polylines as shapely geometries, in edge order."""
    if not roads.lines:
        return np.empty(0, dtype=object)
    counts = [len(line) for line in roads.lines]
    owner = np.repeat(np.arange(len(counts)), counts)
    return np.asarray(shapely.linestrings(np.concatenate(roads.lines), indices=owner))


def _candidates(shapes: NDArray[np.object_], roads: Roads, reach: float) -> list[_Candidates]:
    """For every point with a road in reach, in order: the edges tied for the nearest."""
    lines = line_shapes(roads)
    tree = shapely.STRtree(lines)
    point, edge = tree.query(shapes, predicate="dwithin", distance=reach + ROUNDING)
    gap = shapely.distance(shapes[point], lines[edge])
    least = np.full(len(shapes), np.inf)
    np.minimum.at(least, point, gap)
    near = gap <= least[point] + ROUNDING
    point, edge, gap = point[near], edge[near], gap[near]
    order = np.lexsort((edge, point))
    point, edge, gap = point[order], edge[order], gap[order]
    along = shapely.line_locate_point(lines[edge], shapes[point])
    return _grouped(point, edge, gap, along)


def _grouped(point: Integers, edge: Integers, gap: Floats, along: Floats) -> list[_Candidates]:
    starts = np.flatnonzero(np.diff(point, prepend=-1))
    bounds = [*starts.tolist(), len(point)]
    edges, gaps, places = edge.tolist(), gap.tolist(), along.tolist()
    return [
        _Candidates(int(point[low]), edges[low:high], gaps[low:high], places[low:high])
        for low, high in pairwise(bounds)
    ]
