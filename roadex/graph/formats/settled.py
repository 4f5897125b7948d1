"""Networks brought into a frame whose metres are the ground's, once for every format."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
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
from roadex.graph.frame import moved
from roadex.graph.network import position
from roadex.graph.skeleton import Floats

# Twice around the Earth: nothing lies farther away, and every metre of a road costs time.
_FARTHEST_M = 1e8
# A lone road, or the longest of several, that is shorter was measured in degrees: a thousandth of
# one is a hundred metres.
_SHORTEST_M = (0.02, 0.1)


def check_extent(graph: nx.MultiGraph, path: Path) -> None:
    """Refuse a network whose coordinates cannot be metres on Earth.

    Raises:
        RoadexError: one is infinite, or farther from the origin than any place; or all roads are so
            short that they are degrees.
    """
    lines = [line for *_, line in graph.edges(data="geometry")]
    farthest = max((float(np.abs(line).max()) for line in lines if len(line)), default=0.0)
    if not farthest <= _FARTHEST_M:
        raise RoadexError(
            f"{path}: a road reaches to a coordinate of {farthest:.3g} m, no place on Earth: "
            "correct the coordinates, or the pixel size (gsd)"
        )
    longest = max((length for *_, length in graph.edges(data="length")), default=np.inf)
    if longest < _SHORTEST_M[graph.number_of_edges() > 1]:
        raise RoadexError(
            f"{path}: its longest road is {longest:.2g} m: are its coordinates degrees? Name their "
            "system (`crs`), or mend the one that it names"
        )


def settled(graph: nx.MultiGraph, path: Path, wanted: str | None) -> nx.MultiGraph:
    """The network in the system `wanted`, else in its own if that has ground metres.

    Degrees, feet, Web Mercator and the like become the UTM zone of the network's middle, and
    lengths are measured again. A network in the image frame or in a local system stays as it is.

    Raises:
        RoadexError: the coordinates do not fit the system that the file names.
    """
    crs = graph.graph.get("crs")
    if crs is None:
        return graph
    places = np.array([position(graph, node) for node in graph], dtype=np.float64).reshape(-1, 2)
    check_coordinates(places, crs, str(path), anywhere=crs == wanted)
    target = frame_of(places, crs, wanted)
    if target is None or target == short_name(parse_crs(crs)):
        graph.graph["crs"] = short_name(parse_crs(crs))
        return graph
    return moved(graph, partial(reproject, source=crs, target=target), target, measure_anew=True)


def frame_of(points: Floats, crs: str, wanted: str | None) -> str | None:
    """The system for points (n, 2) of another: see `settled`; None if unknown."""
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


PIXEL_M = "pixel_m"


def in_pixels(graph: nx.MultiGraph, pixel_m: tuple[float, float]) -> nx.MultiGraph:
    """A copy of a network in metres in the image frame, in pixels of that size.

    Lengths and other attributes stay in metres.
    """
    scaled = _scaled(graph, 1 / np.array(pixel_m))
    scaled.graph[PIXEL_M] = list(pixel_m)
    return scaled


def in_metres(graph: nx.MultiGraph) -> nx.MultiGraph:
    """The inverse of `in_pixels`; any other network as it is."""
    if PIXEL_M not in graph.graph:
        return graph
    scaled = _scaled(graph, np.array(graph.graph[PIXEL_M]))
    del scaled.graph[PIXEL_M]
    return scaled


def _scaled(graph: nx.MultiGraph, scale: NDArray[np.float64]) -> nx.MultiGraph:
    return moved(graph, lambda points: points * scale, graph.graph.get("crs"))


def drop_small_components(graph: nx.MultiGraph, min_length_m: float) -> nx.MultiGraph:
    """The network without components whose longest shortest path is below `min_length_m` metres.

    Paths run between nodes; on a ring at a single node the longest is half the way round. Counted
    in `graph.graph["dropped"]`.
    """
    small = [
        component
        for component in nx.connected_components(graph)
        if _longest_path(graph.subgraph(component), min_length_m) < min_length_m
    ]
    if small:
        graph.remove_nodes_from([node for component in small for node in component])
        dropped = graph.graph.setdefault("dropped", {})
        dropped["component below the minimum"] = len(small)
    return graph


def _longest_path(component: nx.MultiGraph, enough: float) -> float:
    """The longest shortest path in metres, or `enough` as soon as one is as long."""
    longest = max(
        (length / 2 for u, v, length in nx.selfloop_edges(component, data="length")), default=0.0
    )
    for node in component:
        if longest >= enough:
            break
        reached = nx.single_source_dijkstra_path_length(component, node, weight="length")
        longest = max(longest, *reached.values())
    return longest
