"""Small networks for tests."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from roadex.graph.network import add_road, empty_network, oriented, straight_network


def load_case(folder: Path) -> tuple[nx.MultiGraph, nx.MultiGraph, dict]:
    """Truth, proposal and expected scores of an oracle case."""
    from roadex.graph.formats import read_network

    expected = json.loads((folder / "expected.json").read_text())
    return read_network(folder / "gt.json"), read_network(folder / "prop.json"), expected


def line(*points: tuple[float, float]) -> nx.MultiGraph:
    """One road along the points."""
    graph = empty_network()
    add_road(graph, 0, 1, points)
    return graph


def square(side: float = 100.0) -> nx.MultiGraph:
    """Four roads around a square."""
    corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)]
    return straight_network(corners, [(0, 1), (1, 2), (2, 3), (3, 0)])


def grid(side: int, spacing: float = 100.0) -> nx.MultiGraph:
    """A grid of side x side junctions."""
    positions = [(x * spacing, y * spacing) for y in range(side) for x in range(side)]
    across = [(y * side + x, y * side + x + 1) for y in range(side) for x in range(side - 1)]
    up = [(y * side + x, y * side + side + x) for y in range(side - 1) for x in range(side)]
    return straight_network(positions, across + up)


def moved(graph: nx.MultiGraph, dx: float, dy: float) -> nx.MultiGraph:
    """The same network elsewhere."""
    result = empty_network(graph.graph.get("crs"))
    for node, data in graph.nodes(data=True):
        result.add_node(node, x=data["x"] + dx, y=data["y"] + dy)
    for u, v, data in graph.edges(data=True):
        add_road(result, u, v, data["geometry"] + [dx, dy])
    return result


def split(graph: nx.MultiGraph, share: float) -> nx.MultiGraph:
    """The same roads, each straight one cut in two by a node."""
    result = empty_network(graph.graph.get("crs"))
    for node, data in graph.nodes(data=True):
        result.add_node(node, **data)
    for number, (u, v, key) in enumerate(graph.edges(keys=True)):
        begin, end = oriented(graph, u, v, key)[[0, -1]]
        middle = begin + share * (end - begin)
        add_road(result, u, ("cut", number), [begin, middle])
        add_road(result, ("cut", number), v, [middle, end])
    return result


@st.composite
def networks(draw: st.DrawFn, most: int = 9) -> nx.MultiGraph:
    """Random connected or unconnected networks of straight roads, 20 m to 600 m wide."""
    count = draw(st.integers(2, most))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    positions = [tuple(point) for point in rng.uniform(0, 600, (count, 2)).tolist()]
    chosen = rng.random((count, count)) < 0.4
    edges = [(u, v) for u in range(count) for v in range(u) if chosen[u, v]]
    return straight_network(positions, edges or [(0, 1)])
