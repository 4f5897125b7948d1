"""Fewer vertices for the same roads."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import shapely

from roadex.config.graph import GraphSettings
from roadex.graph.network import polyline_length, walked_distances
from roadex.graph.skeleton import Floats

# Simplifying may move a line by at most this share of a pixel, the precision of the mask.
_FINEST = 0.8


def tolerance_of(settings: GraphSettings, pixel: tuple[float, float]) -> float:
    """How far simplifying may move a line, in metres, for pixels of that size."""
    return min(settings.simplify_m, _FINEST * min(pixel))


def simplify_roads(graph: nx.MultiGraph, tolerance: float) -> None:
    """Douglas-Peucker in place: no vertex of the old line is farther than `tolerance` from the new.

    Ends stay. A ring keeps at least four points, its first and last being one, and of parallel
    roads each keeps a point between its ends, so that none collapses onto another.
    """
    roads = list(graph.edges(keys=True, data=True))
    if tolerance <= 0 or not roads:
        return
    pieces = [piece for road in roads for piece in _pieces(graph, *road)]
    shortened = iter(_douglas_peucker(pieces, tolerance))
    for road in roads:
        parts = [next(shortened) for _ in _pieces(graph, *road)]
        line = np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
        road[3].update(geometry=line, length=polyline_length(line))


def _pieces(
    graph: nx.MultiGraph, u: object, v: object, _key: int, data: dict[str, Any]
) -> list[Floats]:
    """The parts of a road whose ends must stay."""
    line: Floats = data["geometry"]
    count = 3 if u == v else 2 if graph.number_of_edges(u, v) > 1 else 1
    if count == 1:
        return [line]
    if len(line) <= count + 1:
        return [line[i : i + 2] for i in range(len(line) - 1)]
    walked = walked_distances(line)
    shares = walked[-1] * np.arange(1, count) / count
    cuts = np.clip(np.searchsorted(walked, shares), np.arange(1, count), len(line) - 2)
    bounds = [0, *cuts.tolist(), len(line) - 1]
    return [line[a : b + 1] for a, b in pairwise(bounds)]


def _douglas_peucker(lines: list[Floats], tolerance: float) -> list[Floats]:
    """Simplify all lines in one call."""
    owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    whole = shapely.linestrings(np.concatenate(lines), indices=owner)
    short = shapely.simplify(whole, tolerance, preserve_topology=False)
    points, owner = shapely.get_coordinates(short, return_index=True)
    return np.split(points, np.flatnonzero(np.diff(owner)) + 1)
