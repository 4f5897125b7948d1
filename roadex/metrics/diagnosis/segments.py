"""A network cut at its control points, and which of the segments the other network lacks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from roadex.config.metrics import AplsSettings
from roadex.metrics.apls.cosmiq import control_points, interpolate
from roadex.metrics.apls.snapping import line_shapes, snap_points
from roadex.metrics.distances import Anchors, Distances, take_anchors
from roadex.metrics.roads import Floats, Integers, Roads, cumulative_lengths

# A segment is bad when the other network's way between its ends is longer by more than this share.
LONGER = 0.2


@dataclass(frozen=True)
class Side:
    """One direction of a comparison: a network cut at its control points, beside the other one.

    Attributes:
        of_truth: whether the network is the truth.
        positions: (count, 2) x, y of the control points in metres.
        ends: (n, 2) control points at the ends of each segment; lines: its polyline, in that order.
        found: (count,) whether the score finds a point in the other network.
        placed: (count,) whether it would, if points did not take over each other's places.
        own, own_anchors: distances on the network; other, other_anchors: on the other one, or None
            where that is empty.
        excess: (n,) metres by which the other network's way between a segment's ends is longer:
            0 where the segment is good, infinite where there is no way.
        lost: (n,) whether a bad segment lies away from the other network's roads.
        cause: (n,) number of the cause that a bad segment belongs to, -1 for good ones.
    """

    of_truth: bool
    positions: Floats
    ends: Integers
    lines: list[Floats]
    found: NDArray[np.bool_]
    placed: NDArray[np.bool_]
    own: Distances
    own_anchors: Anchors
    other: Distances | None
    other_anchors: Anchors
    excess: Floats
    lost: NDArray[np.bool_]
    cause: Integers

    @property
    def count(self) -> int:
        """How many control points there are."""
        return len(self.positions)

    @cached_property
    def lengths(self) -> Floats:
        """Metres of each segment (n,)."""
        return np.array([cumulative_lengths(line)[-1] for line in self.lines])

    @cached_property
    def matrix(self) -> csr_matrix:
        """The shortest segment between each two control points."""
        shortest = self.by_ends
        rows = [u for u, _ in shortest]
        columns = [v for _, v in shortest]
        weights = [max(float(self.lengths[segment]), 1e-9) for segment in shortest.values()]
        return coo_matrix((weights, (rows, columns)), shape=(self.count, self.count)).tocsr()

    @cached_property
    def by_ends(self) -> dict[tuple[int, int], int]:
        """Number of the shortest segment between two control points, the lower number first."""
        order = np.argsort(-self.lengths, kind="stable").tolist()
        return {(min(self.ends[i]), max(self.ends[i])): i for i in order}

    def distances(self, sources: Integers, in_own: bool) -> Floats:
        """Distances (count, sources) in one of the networks, infinite where points are missing."""
        everyone = np.arange(self.count)
        if in_own:
            return _block(self.own, self.own_anchors, sources, everyone)
        if self.other is None:
            return np.full((self.count, len(sources)), np.inf)
        result = _block(self.other, self.other_anchors, sources, everyone)
        result[~self.found] = np.inf
        result[:, ~self.found[sources]] = np.inf
        return result


def cut_side(roads: Roads, other: Roads, settings: AplsSettings, of_truth: bool) -> Side:
    """Cut a network at its control points, and look for each segment in the other network."""
    points = control_points(roads, settings.delta, settings.curved_eps)
    ends, lines = _segments(roads, points.places.edge, points.places.offset)
    own = Distances(len(roads.positions), roads.ends, points.weights)
    own_anchors = own.anchors(points.places)
    snapped = snap_points(points.positions, other, settings.snap, settings.renaming)
    placed = snap_points(points.positions, other, settings.snap, False)
    there = None
    if not other.is_empty:
        there = Distances(len(other.positions), other.ends, placed.weights)
    anchors = there.anchors(placed.places) if there else take_anchors(own_anchors, slice(0, 0))
    excess = _excess(ends, lines, placed.found, there, anchors, settings.snap)
    lost = (excess > 0) & _leaves(ends, lines, placed.found, other, settings.snap)
    cause = _group(ends, excess > 0, lost, len(points.positions))
    return Side(
        of_truth,
        points.positions,
        ends,
        lines,
        snapped.found,
        placed.found,
        own,
        own_anchors,
        there,
        anchors,
        excess,
        lost,
        cause,
    )


def _segments(roads: Roads, edge: Integers, offset: Floats) -> tuple[Integers, list[Floats]]:
    """Ends (control point numbers) and polylines of the segments, edge by edge."""
    members: dict[int, list[int]] = {}
    for point in np.lexsort((offset, edge)).tolist():
        members.setdefault(int(edge[point]), []).append(point)
    ends: list[tuple[int, int]] = []
    lines: list[Floats] = []
    for number, ((u, v), line) in enumerate(zip(roads.ends.tolist(), roads.lines, strict=True)):
        vertices = cumulative_lengths(line)
        cuts = members.get(number, [])
        stops = [0.0, *offset[cuts].tolist(), float(vertices[-1])]
        chain = [u, *cuts, v]
        for index in range(len(chain) - 1):
            ends.append((chain[index], chain[index + 1]))
            lines.append(_stretch(line, vertices, stops[index], stops[index + 1]))
    return np.array(ends, dtype=np.int64).reshape(-1, 2), lines


def _stretch(line: Floats, vertices: Floats, low: float, high: float) -> Floats:
    """The part of a polyline between two distances along it."""
    tips = interpolate(line, vertices, np.array([low, high]))
    inner = line[(vertices > low) & (vertices < high)]
    return np.vstack((tips[:1], inner, tips[1:]))


def _excess(
    ends: Integers,
    lines: list[Floats],
    placed: NDArray[np.bool_],
    there: Distances | None,
    anchors: Anchors,
    snap: float,
) -> Floats:
    """By how much the other network's way is longer: 0 where good, infinite where there is none."""
    excess = np.full(len(ends), np.inf)
    for index, (pair, line) in enumerate(zip(ends, lines, strict=True)):
        if there is None or not placed[pair].all():
            continue
        length = float(cumulative_lengths(line)[-1])
        way = float(_block(there, anchors, pair[:1], pair[1:])[0, 0])
        excess[index] = way - length if way > length * (1 + LONGER) + snap else 0.0
    return excess


def _leaves(
    ends: Integers, lines: list[Floats], placed: NDArray[np.bool_], other: Roads, snap: float
) -> NDArray[np.bool_]:
    """Which segments have an end or their middle away from every road of the other network."""
    if other.is_empty or not lines:
        return np.ones(len(lines), dtype=bool)
    middles = [
        interpolate(line, vertices, vertices[-1:] / 2)
        for line in lines
        for vertices in (cumulative_lengths(line),)
    ]
    shapes = shapely.points(np.concatenate(middles))
    tree = shapely.STRtree(line_shapes(other))
    near = np.zeros(len(lines), dtype=bool)
    near[tree.query(shapes, predicate="dwithin", distance=snap)[0]] = True
    return ~near | ~placed[ends].all(axis=1)


def _group(ends: Integers, bad: NDArray[np.bool_], lost: NDArray[np.bool_], count: int) -> Integers:
    """Number of the cause of each segment, -1 for good ones.

    Missing segments belong together along a road between junctions, broken ones wherever they meet.
    """
    degree = np.bincount(ends.ravel(), minlength=count)
    segments = len(ends)
    meetings: dict[tuple[int, bool], list[int]] = {}
    for segment in np.flatnonzero(bad).tolist():
        for point in ends[segment].tolist():
            if not lost[segment] or degree[point] == 2:
                meetings.setdefault((point, bool(lost[segment])), []).append(segment)
    links = [(group[0], member) for group in meetings.values() for member in group]
    rows, columns = np.array(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(segments, segments))
    labels = connected_components(graph, directed=False)[1].astype(np.int64)
    return np.where(bad, labels, -1)


def _block(distances: Distances, anchors: Anchors, sources: Integers, targets: Integers) -> Floats:
    return distances.block(take_anchors(anchors, sources), take_anchors(anchors, targets))
