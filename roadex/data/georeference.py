"""Networks brought into the frame of a georeferenced raster."""

from __future__ import annotations

import networkx as nx
import numpy as np

from roadex.geo.grid import Georeference
from roadex.graph.network import add_road, empty_network, oriented


def to_image_frame(
    graph: nx.MultiGraph, grid: Georeference, scale: tuple[float, float]
) -> nx.MultiGraph:
    """A network in a map's system as one in the image frame of a raster.

    Args:
        scale: metres per pixel along x and y. Lengths become planar in that frame.
    """
    placed = empty_network()
    steps = list(graph.edges(keys=True))
    if not steps:
        return placed
    lines = [oriented(graph, *step) for step in steps]
    points = grid.pixels(np.concatenate(lines), graph.graph["crs"]) * np.array(scale)
    cuts = np.cumsum([len(line) for line in lines])[:-1]
    for (u, v, key), line in zip(steps, np.split(points, cuts), strict=True):
        data = graph.edges[u, v, key]
        traits = {k: value for k, value in data.items() if k not in ("geometry", "length")}
        add_road(placed, u, v, line, **traits)
    return placed
