"""APLS by Van Etten, Lindenbaum and Bacastow (2018, arXiv 1807.01232), as in their program."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from roadex.config.metrics import AplsSettings
from roadex.metrics.apls.routes import RouteRules, Routes, all_missing
from roadex.metrics.apls.snapping import snap_points
from roadex.metrics.distances import DistanceMemo, Distances, Places, take_anchors
from roadex.metrics.roads import Floats, Integers, Roads, cumulative_lengths


def compare(real: Roads, drawn: Roads, settings: AplsSettings) -> tuple[Routes, Routes]:
    """The routes of the truth in the proposal, and those of the proposal in the truth."""
    memos = [DistanceMemo(len(roads.positions), roads.ends) for roads in (real, drawn)]
    return (
        _one_way(real, drawn, memos[0], memos[1], settings),
        _one_way(drawn, real, memos[1], memos[0], settings),
    )


def unmatched(roads: Roads, settings: AplsSettings) -> Routes:
    """The routes of a network where the other network has no road."""
    points = control_points(roads, settings.delta, settings.curved_eps)
    own = Distances(len(roads.positions), roads.ends, points.weights * roads.pace)
    chosen = _sample(len(points.positions), settings)
    anchors = take_anchors(own.anchors(points.places.paced(roads.pace)), chosen)
    rules = RouteRules(settings.route_minimum)
    return all_missing(points.positions[chosen], own, anchors, rules)


def _one_way(
    roads: Roads, other: Roads, memo: DistanceMemo, other_memo: DistanceMemo, settings: AplsSettings
) -> Routes:
    points = control_points(roads, settings.delta, settings.curved_eps)
    chosen = _sample(len(points.positions), settings)
    snapped = snap_points(points.positions[chosen], other, settings.snap, settings.renaming)
    own = memo.get(points.weights * roads.pace)
    there = other_memo.get(snapped.weights * other.pace)
    anchors = take_anchors(own.anchors(points.places.paced(roads.pace)), chosen)
    # Present points first, and points of one road together.
    order = np.lexsort((anchors.chain, anchors.first, ~snapped.found))
    present = int(snapped.found.sum())
    return Routes(
        points=points.positions[chosen][order],
        present=present,
        own=own,
        own_anchors=take_anchors(anchors, order),
        other=there,
        other_anchors=there.anchors(snapped.places.paced(other.pace).take(order[:present])),
        overtaken=snapped.overtaken,
        rules=RouteRules(settings.route_minimum),
    )


def _sample(count: int, settings: AplsSettings) -> Integers:
    """Numbers of the control points to score, in order."""
    if settings.sample == 0 or settings.sample >= count:
        return np.arange(count, dtype=np.int64)
    drawn = np.random.default_rng(settings.seed).choice(count, settings.sample, replace=False)
    return np.sort(drawn).astype(np.int64)


@dataclass(frozen=True)
class ControlPoints:
    """Where the routes of one network begin and end.

    Attributes:
        positions: (p, 2) x, y in metres; nodes in node order, then points in edge order.
        places: the same points on the network.
        weights: (m,) edge lengths of the network cut at the points: a cut edge has its planar
            length, another keeps the length it came with.
    """

    positions: Floats
    places: Places
    weights: Floats


def control_points(roads: Roads, delta: float, curved_eps: float) -> ControlPoints:
    """All nodes, and points on the edges at most `delta` metres apart, as in the reference."""
    nodes = len(roads.positions)
    edges: list[int] = []
    offsets: list[float] = []
    positions: list[Floats] = []
    weights = roads.lengths.copy()
    for edge, line in enumerate(roads.lines):
        length = float(roads.lengths[edge])
        pieces = _pieces(length, line, delta, curved_eps)
        if pieces == 1:
            continue
        vertices = cumulative_lengths(line)
        # One point lies in the middle of the polyline, several at shares of the edge's length.
        whole = vertices[-1] if length <= delta else length
        along = np.minimum(np.arange(1, pieces) * (whole / pieces), vertices[-1])
        weights[edge] = vertices[-1]
        edges.extend([edge] * len(along))
        offsets.extend(along.tolist())
        positions.append(interpolate(line, vertices, along))
    midpoints = Places(
        np.full(len(edges), -1), np.array(edges, dtype=np.int64), np.array(offsets, dtype=float)
    )
    return ControlPoints(
        np.concatenate([roads.positions, *positions]), _after_nodes(nodes, midpoints), weights
    )


def interpolate(line: Floats, vertices: Floats, along: Floats) -> Floats:
    """Points (p, 2) on a polyline (k, 2) at distances `along` (p,), given those of its vertices."""
    return np.column_stack([np.interp(along, vertices, line[:, axis]) for axis in (0, 1)])


def _pieces(length: float, line: Floats, delta: float, curved_eps: float) -> int:
    """Into how many pieces the control points cut an edge; 1 for none."""
    if delta <= 0 or length < 0.75 * delta or length <= 0:
        return 1
    diagonal = math.hypot(*np.ptp(line, axis=0))
    if abs(diagonal - length) / length < curved_eps:
        return 1
    return 2 if length <= delta else math.ceil(length / delta)


def _after_nodes(nodes: int, points: Places) -> Places:
    number: Integers = np.arange(nodes, dtype=np.int64)
    return Places(
        np.concatenate([number, points.node]),
        np.concatenate([np.full(nodes, -1), points.edge]),
        np.concatenate([np.zeros(nodes), points.offset]),
    )
