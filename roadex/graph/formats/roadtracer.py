"""RoadTracer's text graphs: vertices `x y` in pixels, a blank line, links `i j`."""

from __future__ import annotations

from pathlib import Path

import networkx as nx

from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.graph.formats.options import ReadOptions
from roadex.graph.formats.pixel_graphs import network_from_pixels, pixels_of
from roadex.graph.formats.text import read_text
from roadex.graph.frame import Gsd


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
