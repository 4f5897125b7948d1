"""A road graph in metres on an image, moved to the image's place on the map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.geo.crs import WGS84, is_metric, parse_crs, reproject, utm_zone
from roadex.geo.grid import Georeference
from roadex.graph.frame import moved
from roadex.graph.probability_maps import mean_probability
from roadex.graph.road_table import RoadTable

Floats = NDArray[np.float64]
_POINTS_AT_ONCE = 1 << 20


def network_crs(grid: Georeference) -> str:
    """The system of the image if it is in metres, else the UTM zone of its middle."""
    if is_metric(parse_crs(grid.crs)):
        return grid.crs
    corners = np.array([[0, 0], [grid.shape[1], grid.shape[0]]], float)
    return utm_zone(reproject(grid.coordinates(corners), grid.crs, WGS84))


def placed(
    graph: nx.MultiGraph, grid: Georeference | None, pixel_m: tuple[float, float]
) -> nx.MultiGraph:
    """A network in metres in the image frame as one in the map's system.

    Lengths stay those on the ground, which are shorter than planar lengths in a system such as
    Web Mercator.

    Args:
        grid: where the image lies; None: the network stays in the image frame.
        pixel_m: width and height of the image's pixels in metres.
    """
    if grid is None:
        return graph
    return moved(graph, _mover(grid, pixel_m), network_crs(grid))


def placed_table(table: RoadTable, grid: Georeference, pixel_m: tuple[float, float]) -> RoadTable:
    """See `placed`."""
    move, points = _mover(grid, pixel_m), np.empty_like(table.points)
    for start in range(0, len(points), _POINTS_AT_ONCE):
        part = slice(start, start + _POINTS_AT_ONCE)
        points[part] = move(table.points[part])
    places = move(table.places) if len(table.places) else table.places
    return replace(table, points=points, places=places, crs=network_crs(grid))


def _mover(grid: Georeference, pixel_m: tuple[float, float]) -> Callable[[Floats], Floats]:
    """From points (n, 2) in metres in the image frame to those in the network's system."""
    crs = network_crs(grid)

    def move(points: Floats) -> Floats:
        here = grid.coordinates(points / pixel_m)
        return here if crs == grid.crs else reproject(here, grid.crs, crs)

    return move


def add_probabilities(
    graph: nx.MultiGraph, road: NDArray[np.uint8], gsd: tuple[float, float]
) -> None:
    """Give every road its `mean_probability` along its line, in place.

    Args:
        graph: in metres in the image frame.
        road: probability (H, W) in 1/256, may be mapped.
        gsd: width and height of its pixels in metres.
    """
    for *_, data in graph.edges(data=True):
        data["mean_probability"] = mean_probability(data["geometry"], road, gsd)
