"""APLS control points: the nodes of a network and evenly spaced points on its edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from roadex.metrics.distances import Places
from roadex.metrics.roads import Floats, Integers, Roads, cumulative_lengths


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
    """All nodes, and points on the edges no more than `delta` metres apart, as the reference."""
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
