"""Networks brought into a frame whose metres are the ground's: once, for every format."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np

from roadex.geo.crs import (
    WGS84,
    check_coordinates,
    is_ground_metric,
    is_local,
    parse_crs,
    reproject,
    short_name,
    utm_zone,
)
from roadex.graph.moving import moved
from roadex.graph.network import position
from roadex.graph.skeleton import Floats


def settled(graph: nx.MultiGraph, path: Path, wanted: str | None) -> nx.MultiGraph:
    """The network in the system `wanted`, else in its own where that counts in ground metres.

    Degrees, feet, Web Mercator and the like become the UTM zone of the network's middle; lengths
    are then measured anew. A network in the image frame or in an engineer's system stays as it is.

    Raises:
        RoadexError: the coordinates do not fit the system that the file names.
    """
    crs = graph.graph.get("crs")
    if crs is None:
        return graph
    places = np.array([position(graph, node) for node in graph], dtype=np.float64).reshape(-1, 2)
    check_coordinates(places, crs, str(path))
    target = frame_of(places, crs, wanted)
    if target is None or target == short_name(parse_crs(crs)):
        graph.graph["crs"] = short_name(parse_crs(crs))
        return graph
    return moved(graph, partial(reproject, source=crs, target=target), target, measure_anew=True)


def frame_of(points: Floats, crs: str, wanted: str | None) -> str | None:
    """The system for points (n, 2) of another: see `settled`; None where nothing can be told."""
    system = parse_crs(crs)
    if is_local(system):
        return short_name(system)
    if wanted is not None and not is_local(parse_crs(wanted)):
        return wanted
    if not len(points):
        return None
    if is_ground_metric(system, points):
        return short_name(system)
    return utm_zone(reproject(points, crs, WGS84))
