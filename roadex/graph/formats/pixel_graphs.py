"""What the pixel graphs of road projects share: every vertex is a node."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx

from roadex.errors import RoadexError
from roadex.graph.formats.edges import network_from_edges
from roadex.graph.frame import Gsd, pixel_size
from roadex.graph.network import merge_degree_two, oriented, position

Pixel = tuple[float, float]


def network_from_pixels(
    path: Path,
    places: Mapping[Any, Pixel],
    links: Iterable[tuple[Hashable, Hashable]],
    gsd: Gsd,
) -> nx.MultiGraph:
    """A network from vertices at (x, y) in pixels and links in one or both directions.

    Coordinates are continuous, (0, 0) being the tile's corner. Vertices that only shape a road
    become part of its geometry.
    """
    along_x, along_y = pixel_size(gsd)
    nodes = {name: (x * along_x, y * along_y) for name, (x, y) in places.items()}
    once = {frozenset(link): link for link in links}
    return merge_degree_two(
        network_from_edges(path, nodes, ((*link, None, {}) for link in once.values()))
    )


def pixels_of(
    graph: nx.MultiGraph, path: Path, gsd: Gsd
) -> tuple[list[Pixel], list[tuple[int, int]]]:
    """Every vertex (x, y) of a network in pixels, and the links between them, each once.

    Raises:
        RoadexError: the network is not in the image frame.
    """
    if graph.graph.get("crs") is not None:
        raise RoadexError(f"{path}: this format holds pixels, but the network is in a map's CRS")
    along_x, along_y = pixel_size(gsd)
    number = {node: i for i, node in enumerate(graph)}
    metres = [position(graph, node) for node in graph]
    links: list[tuple[int, int]] = []
    for u, v, key in graph.edges(keys=True):
        line = oriented(graph, u, v, key)
        inner = list(range(len(metres), len(metres) + len(line) - 2))
        metres.extend((x, y) for x, y in line[1:-1].tolist())
        chain = [number[u], *inner, number[v]]
        links.extend(pairwise(chain))
    return [(x / along_x, y / along_y) for x, y in metres], links
