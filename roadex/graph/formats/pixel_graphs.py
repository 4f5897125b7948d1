"""The pixel graphs of road projects, in which every vertex is a node; RoadTracer's text among
them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx

from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.graph.formats.edges import network_from_edges
from roadex.graph.formats.options import ReadOptions, read_text
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


def read_roadtracer(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from a text graph.

    Raises:
        RoadexError: a line that is neither a vertex nor a link.
    """
    places: list[tuple[float, float]] = []
    links: list[tuple[int, int]] = []
    in_links = False
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        fields = line.split()
        if not fields:
            in_links = in_links or bool(places)
            continue
        try:
            first, second = fields
            if in_links:
                links.append((int(first), int(second)))
            else:
                places.append((float(first), float(second)))
        except ValueError as error:
            raise RoadexError(
                f"{path}, line {number}: expected two numbers, found {line!r}"
            ) from error
    return network_from_pixels(path, dict(enumerate(places)), links, options.pixel_size(path))


def write_roadtracer(graph: nx.MultiGraph, path: Path, gsd: Gsd) -> None:
    """Write a network with every vertex as a node and every link both ways."""
    places, links = pixels_of(graph, path, gsd)
    vertices = [f"{x!r} {y!r}" for x, y in places]
    both = [f"{a} {b}" for link in links for a, b in (link, link[::-1])]
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join([*vertices, "", *both]) + "\n", encoding="utf-8")
