"""Places along roads, to which paths may lead and where roads are cut."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import networkx as nx
import numpy as np
from scipy.spatial import cKDTree

from roadex.graph.network import Step, add_road, leads, oriented, walked_distances
from roadex.graph.skeleton import Floats, Ints

_SPACING_M = 1.0


@dataclass(frozen=True)
class Places:
    """Points along all roads of a graph, a metre apart.

    Attributes:
        steps: the roads.
        lengths: of each of them.
        points: (n, 2) x, y in metres.
        road: (n,) index into `steps`.
        walked: (n,) metres from the road's first node.
    """

    steps: list[Step]
    lengths: Floats
    points: Floats
    road: Ints
    walked: Floats
    tree: cKDTree

    @classmethod
    def of(cls, graph: nx.MultiGraph) -> Places:
        """The places of a graph that has roads."""
        steps = list(graph.edges(keys=True))
        lines = [oriented(graph, *step) for step in steps]
        along = [walked_distances(line) for line in lines]
        counts = [int(np.ceil(walked[-1] / _SPACING_M)) + 1 for walked in along]
        stops = [np.linspace(0, walked[-1], n) for walked, n in zip(along, counts, strict=True)]
        points = np.concatenate(list(map(points_at, lines, along, stops)))
        road = np.repeat(np.arange(len(steps)), counts)
        lengths = np.array([walked[-1] for walked in along])
        return cls(steps, lengths, points, road, np.concatenate(stops), cKDTree(points))

    def near(self, point: Floats, reach_m: float) -> Ints:
        """The places within a distance of a point."""
        return np.array(self.tree.query_ball_point(point, reach_m), dtype=np.int64)

    def ways(self, graph: nx.MultiGraph, node: Hashable, near: Ints, cutoff: float) -> Floats:
        """Metres along roads from a node to some places; infinite beyond about `cutoff`."""
        known = nx.single_source_dijkstra_path_length(graph, node, cutoff, weight="length")
        roads, inverse = np.unique(self.road[near], return_inverse=True)
        ends = np.array([[known.get(n, np.inf) for n in self.steps[i][:2]] for i in roads.tolist()])
        from_u, from_v = ends.reshape(-1, 2)[inverse].T
        walked = self.walked[near]
        ways: Floats = np.minimum(from_u + walked, from_v + self.lengths[self.road[near]] - walked)
        return ways


def points_at(line: Floats, walked: Floats, stops: Floats) -> Floats:
    """The points (k, 2) of a line (n, 2), of known walked distances (n), at some distances (k)."""
    return np.column_stack([np.interp(stops, walked, line[:, i]) for i in (0, 1)])


def cut_road(graph: nx.MultiGraph, step: Step, nodes: dict[float, Hashable]) -> None:
    """Cut a road, in place, at distances from its first node, where new nodes are put.

    The parts of a road of one direction keep it.
    """
    u, v, key = step
    turned = not leads(graph, u, v, key)
    line, data = oriented(graph, u, v, key), dict(graph.edges[step])
    walked = walked_distances(line)
    stops = np.array(sorted(nodes))
    corners = points_at(line, walked, stops)
    bounds = np.searchsorted(walked, stops)
    pieces = np.split(line, bounds)
    names = [u, *(nodes[stop] for stop in stops.tolist()), v]
    graph.remove_edge(u, v, key)
    kept = {k: value for k, value in data.items() if k not in ("geometry", "length")}
    for i, piece in enumerate(pieces):
        before, after = corners[max(i - 1, 0) : i], corners[i : i + 1]
        part, first, last = np.vstack([before, piece, after]), names[i], names[i + 1]
        if turned:
            part, first, last = part[::-1], last, first
        add_road(graph, first, last, part, **kept)
