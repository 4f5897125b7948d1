"""The shortest or fastest way by road between two places that need not lie on a road."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.graph.attributes import described
from roadex.graph.network import SUMMED, Step, leads, oriented, polyline_length
from roadex.graph.places import cut_road

Place = tuple[float, float]
_AT_NODE = 1e-6
LENGTH, TRAVEL_TIME = "length", "travel_time"
# The attribute that is minimised along a route, by the name of the choice.
WEIGHTS = {LENGTH: "length", TRAVEL_TIME: "travel_time_s"}


@dataclass(frozen=True)
class Route:
    """The best way between two places on roads.

    Attributes:
        nodes: junctions and ends passed through, in order.
        length_m: in metres.
        line: (n, 2) in the network's coordinates, from road to road.
        travel_time_s: in seconds, at the speeds of roadex.graph.attributes.
    """

    nodes: list[Hashable]
    length_m: float
    line: NDArray[np.float64]
    travel_time_s: float


def shortest_route(
    graph: nx.MultiGraph,
    start: Place,
    end: Place,
    reach_m: float,
    weight: str = LENGTH,
    one_way: bool = True,
) -> Route:
    """The best way from the place on a road nearest to `start` to that nearest to `end`.

    Args:
        start, end: x, y in the network's coordinates.
        reach_m: how far a place may lie from the nearest road, in the network's units.
        weight: "length" for the shortest way, "travel_time" for the fastest.
        one_way: whether roads with a true `oneway` lead only the way that their lines run.

    Raises:
        RoadexError: there is no road, a place is farther from it, no road leads there, or there
            is no such weight.
    """
    attribute = weight_attribute(weight)
    first, last = (_nearest(graph, place, reach_m) for place in (start, end))
    whole = described(graph)
    places = [("start", first), ("end", last)]
    _split(whole, places)
    ends = [(name,) if place.node is None else place.node for name, place in places]
    driven = _driven(whole, attribute, one_way)
    try:
        nodes = nx.shortest_path(driven, *ends, weight=attribute)
    except nx.NetworkXNoPath as error:
        raise RoadexError(f"no road leads from {start} to {end}") from error
    steps = [(u, v, driven[u][v]["key"]) for u, v in pairwise(nodes)]
    lines = [oriented(whole, *step) for step in steps]
    line = np.concatenate(lines) if lines else np.array([first.point])
    length, seconds = (sum(whole.edges[s][name] for s in steps) for name in SUMMED)
    return Route([n for n in nodes if n in graph], float(length), line, float(seconds))


def weight_attribute(weight: str) -> str:
    """The attribute of roads by which ways are compared.

    Raises:
        RoadexError: there is no such weight.
    """
    if weight not in WEIGHTS:
        raise RoadexError(f"weight={weight}: choose {' or '.join(WEIGHTS)}")
    return WEIGHTS[weight]


def _driven(graph: nx.MultiGraph, attribute: str, one_way: bool) -> nx.DiGraph:
    """The best road from each node to each of its neighbours: its key and what it costs."""
    best = nx.DiGraph()
    best.add_nodes_from(graph)
    for first, last, key, cost in graph.edges(keys=True, data=attribute):
        for u, v in ((first, last), (last, first)):
            if one_way and not leads(graph, u, v, key):
                continue
            if not best.has_edge(u, v) or cost < best[u][v][attribute]:
                best.add_edge(u, v, **{attribute: cost, "key": key})
    return best


@dataclass(frozen=True)
class _OnRoad:
    """A place on a road: `walked` of the road's drawn length from its first node, or a node."""

    step: Step
    walked: float
    point: Place
    node: Hashable | None


def _nearest(graph: nx.MultiGraph, place: Place, reach_m: float) -> _OnRoad:
    steps = list(graph.edges(keys=True))
    if not steps:
        raise RoadexError("no road was found, so there is no route")
    lines = [oriented(graph, *step) for step in steps]
    owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    shapes = shapely.linestrings(np.concatenate(lines), indices=owner)
    point = shapely.Point(place)
    gaps = shapely.distance(shapes, point)
    index = int(np.argmin(gaps))
    if gaps[index] > reach_m:
        raise RoadexError(
            f"{place} lies {gaps[index]:,.0f} m from the nearest road, more than {reach_m:g} m: is "
            f"it in the network's coordinates ({graph.graph.get('crs') or 'those of the image'})?"
        )
    step, walked = steps[index], float(shapely.line_locate_point(shapes[index], point))
    on_road = shapely.line_interpolate_point(shapes[index], walked)
    node = None
    if walked <= _AT_NODE:
        node = step[0]
    elif walked >= shapes[index].length - _AT_NODE:
        node = step[1]
    return _OnRoad(step, walked, (on_road.x, on_road.y), node)


def _split(graph: nx.MultiGraph, places: list[tuple[str, _OnRoad]]) -> None:
    """Put nodes at places between the ends of roads, in place; the parts share the lengths."""
    stops: dict[Step, dict[float, Hashable]] = {}
    for name, place in places:
        if place.node is None:
            taken = stops.setdefault(place.step, {})
            taken[place.walked + _AT_NODE * (place.walked in taken)] = (name,)
    for step, nodes in stops.items():
        line, data = oriented(graph, *step), graph.edges[step]
        whole = {name: float(data[name]) for name in SUMMED}
        known = set(graph.edges(keys=True))
        cut_road(graph, step, nodes)
        for part in set(graph.edges(keys=True)) - known:
            share = graph.edges[part]["length"] / polyline_length(line)
            graph.edges[part].update({name: share * value for name, value in whole.items()})
