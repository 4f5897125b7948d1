"""The paved ground that roads cover, layer by layer, and which edges make up one street."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from roadex.graph.network import oriented
from roadex.world.frame import FloatArray
from roadex.world.roads import ROAD_CLASSES

_KERB_RADIUS_M = 2.5


def road_lines(
    graph: nx.MultiGraph, layer: int | None = None
) -> list[tuple[shapely.LineString, dict[str, Any]]]:
    """Every road's line and attributes, the least important first, as they are painted."""
    edges = [data for *_, data in graph.edges(data=True) if layer in (None, data["layer"])]
    edges.sort(key=lambda data: -ROAD_CLASSES[data["road_class"]].rank)
    return [(shapely.LineString(data["geometry"]), data) for data in edges]


def road_surface(graph: nx.MultiGraph, layer: int, wider_m: float = 0.0) -> BaseGeometry:
    """The ground that the roads of a layer cover, `wider_m` wider on each side.

    Kerbs at the corners of ground-level junctions are rounded.
    """
    roads = road_lines(graph, layer)
    widths = np.array([data["width_m"] / 2 + wider_m for _, data in roads])
    shapes = list(shapely.buffer([line for line, _ in roads], widths, quad_segs=4))
    if layer == 0:
        shapes += turning_circles(graph, wider_m)
    surface = shapely.union_all(shapes)
    if layer == 0 and wider_m == 0:
        surface = surface.buffer(_KERB_RADIUS_M, quad_segs=4).buffer(-_KERB_RADIUS_M, quad_segs=4)
    return surface


def turning_circles(graph: nx.MultiGraph, wider_m: float = 0.0) -> list[BaseGeometry]:
    """The discs at dead ends that have one."""
    return [
        shapely.Point(data["x"], data["y"]).buffer(data["turning_radius_m"] + wider_m)
        for _, data in graph.nodes(data=True)
        if "turning_radius_m" in data
    ]


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
