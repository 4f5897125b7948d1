"""Which edges of the road graph make up one street, as its surface shows."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import combinations

import networkx as nx
import numpy as np

from roadex.graph.network import oriented
from roadex.world.frame import FloatArray

Edge = tuple[Hashable, Hashable, int]
_STRAIGHT = np.cos(np.radians(38))


def group_streets(graph: nx.MultiGraph) -> dict[Edge, int]:
    """A number for each edge (u, v, key), shared by edges of a class that go straight on."""
    edges = list(graph.edges(keys=True))
    links = nx.Graph()
    links.add_nodes_from(range(len(edges)))
    arms: dict[Hashable, list[tuple[int, FloatArray, str]]] = {node: [] for node in graph}
    for number, (u, v, key) in enumerate(edges):
        line, road_class = oriented(graph, u, v, key), graph.edges[u, v, key]["road_class"]
        arms[u].append((number, _direction(line), road_class))
        arms[v].append((number, _direction(line[::-1]), road_class))
    for here in arms.values():
        for (a, way_a, class_a), (b, way_b, class_b) in combinations(here, 2):
            if class_a == class_b and float(-way_a @ way_b) > _STRAIGHT:
                links.add_edge(a, b)
    groups = nx.connected_components(links)
    return {edges[i]: number for number, members in enumerate(groups) for i in members}


def _direction(line: FloatArray) -> FloatArray:
    """The unit vector in which a line leaves its first point."""
    way = line[min(len(line) - 1, 2)] - line[0]
    unit: FloatArray = way / max(float(np.hypot(*way)), 1e-9)
    return unit
