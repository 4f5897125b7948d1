"""A road network as arrays, in the order in which networkx walks it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.network import add_road, empty_network, merge_degree_two

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Roads:
    """The usable part of a road network.

    Attributes:
        names: the graph's node keys, in node order; other fields number nodes in this order.
        positions: (n, 2) x, y of the nodes in metres.
        ends: (m, 2) node numbers of each edge.
        lines: a polyline (k, 2) of x, y for each edge, from the first end to the second.
        lengths: (m,) the edges' `length` in metres, which need not be the planar length.
        pace: (m,) the cost of a metre of each edge: 1, or seconds where time is the weight.
        dropped: how many nodes and edges were left out because a coordinate or length is not
            finite, a polyline has one point, or it repeats the polyline of a parallel edge.
    """

    names: list[Hashable]
    positions: Floats
    ends: Integers
    lines: list[Floats]
    lengths: Floats
    pace: Floats
    dropped: int

    @property
    def is_empty(self) -> bool:
        """Whether no road is left: the rule by which a network counts as empty everywhere."""
        return not self.lines


def as_roads(graph: nx.MultiGraph, weight: str = "length") -> Roads:
    """Read a network (see roadex.graph.network) into arrays.

    A polyline that starts nearer the second node than the first is reversed.

    Args:
        weight: the attribute that a route adds up, `length` or `travel_time_s`.
    """
    names = [node for node in graph if _is_finite_node(graph, node)]
    number = {node: index for index, node in enumerate(names)}
    positions = np.array([(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in names], dtype=float)
    positions = positions.reshape(-1, 2)
    edges: dict[tuple[int, int, bytes], tuple[Floats, float, float]] = {}
    for u, v, data in graph.edges(data=True):
        line = np.asarray(data["geometry"], dtype=np.float64)
        if u in number and v in number and _is_usable(line, data["length"]):
            start, end = number[u], number[v]
            line = _oriented(line, positions[start], positions[end])
            length = float(data["length"])
            pace = 1.0 if weight == "length" or length <= 0 else float(data[weight]) / length
            edges.setdefault((start, end, line.tobytes()), (line, length, pace))
    return Roads(
        names,
        positions,
        np.array([key[:2] for key in edges], dtype=np.int64).reshape(-1, 2),
        [line for line, *_ in edges.values()],
        np.array([length for _, length, _ in edges.values()], dtype=float),
        np.array([pace for *_, pace in edges.values()], dtype=float),
        len(graph) - len(names) + graph.number_of_edges() - len(edges),
    )


def as_through_roads(graph: nx.MultiGraph) -> Roads:
    """The same, with roads running through nodes of degree 2, and planar lengths.

    What is read from it does not depend on how a road is cut into edges.
    """
    roads = as_roads(graph)
    plain = empty_network()
    for node, (x, y) in enumerate(roads.positions.tolist()):
        plain.add_node(node, x=x, y=y)
    for (u, v), line in zip(roads.ends.tolist(), roads.lines, strict=True):
        add_road(plain, u, v, line)
    merged = as_roads(merge_degree_two(plain))
    return replace(merged, dropped=roads.dropped)


def cumulative_lengths(line: Floats) -> Floats:
    """Distance along a polyline (k, 2) at each of its vertices (k,)."""
    steps = np.diff(line, axis=0)
    # Not np.hypot: the sum must equal the one GEOS makes, to the last bit.
    lengths = np.sqrt(steps[:, 0] * steps[:, 0] + steps[:, 1] * steps[:, 1])
    return np.concatenate(([0.0], np.cumsum(lengths)))


def _is_finite_node(graph: nx.MultiGraph, node: Hashable) -> bool:
    data = graph.nodes[node]
    return bool(np.isfinite(data["x"]) and np.isfinite(data["y"]))


def _is_usable(line: Floats, length: float) -> bool:
    return len(line) >= 2 and bool(np.isfinite(line).all() and np.isfinite(length))


def _oriented(line: Floats, start: Floats, end: Floats) -> Floats:
    to_start = np.square(line[0] - start).sum()
    to_end = np.square(line[0] - end).sum()
    return np.ascontiguousarray(line[::-1] if to_end < to_start else line)
