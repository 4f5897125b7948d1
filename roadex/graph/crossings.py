"""Bridges separated from junctions, and junctions moved to where the model predicts them."""

from __future__ import annotations

from collections.abc import Hashable

import networkx as nx
import numpy as np

from roadex.graph.network import (
    Step,
    add_like,
    merge_node,
    oriented,
    polyline_length,
    position,
    walked_distances,
)
from roadex.graph.places import points_at
from roadex.graph.probability_maps import JUNCTION, ProbabilityMaps
from roadex.graph.skeleton import Floats

# The two roads of a bridge run straight on, give or take this angle.
_STRAIGHT_DEG = 40.0
_BACK_M = 15.0  # over which a road's direction is taken
_DISC_M = 3.0  # the largest distance between a crossing and the middle of its disc
_PAIRINGS = ((0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2))


def separate_bridges(graph: nx.MultiGraph, maps: ProbabilityMaps, least_junction: float) -> None:
    """Separate the two roads of each crossing that is not predicted as a junction, in place.

    A crossing is a node of four roads that run straight on in two pairs. It is a junction from the
    probability `least_junction` on. Nodes need the attribute `half_width`.
    """
    for node in [node for node, degree in graph.degree if degree == 4]:
        pairs = _through_roads(graph, node)
        reach = graph.nodes[node]["half_width"] + _DISC_M
        point = np.array(position(graph, node))
        if pairs and maps.chance(point, JUNCTION, reach) < least_junction:
            _part(graph, node, pairs[1])


def _through_roads(graph: nx.MultiGraph, node: Hashable) -> tuple[list[Step], list[Step]] | None:
    """The four roads of a node in two pairs that run straight on; None if they do not."""
    roads = list(graph.edges(node, keys=True))
    if len(roads) != 4 or any(u == v for u, v, _ in roads):
        return None
    away = np.array([_direction(graph, road) for road in roads])
    bend = np.degrees(np.arccos(np.clip(-away @ away.T, -1, 1)))
    a, b, c, d = min(_PAIRINGS, key=lambda p: max(bend[p[0], p[1]], bend[p[2], p[3]]))
    if max(bend[a, b], bend[c, d]) > _STRAIGHT_DEG:
        return None
    return [roads[a], roads[b]], [roads[c], roads[d]]


def _direction(graph: nx.MultiGraph, road: Step) -> Floats:
    """The unit vector in which a road leaves its first node, beyond the crossing itself."""
    line = oriented(graph, *road)
    walked = walked_distances(line)
    near = min(graph.nodes[road[0]]["half_width"], walked[-1] / 3)
    stops = np.array([near, min(near + _BACK_M, walked[-1])])
    step: Floats = np.diff(points_at(line, walked, stops), axis=0)[0]
    return step / max(float(np.hypot(*step)), 1e-9)


def _part(graph: nx.MultiGraph, node: Hashable, roads: list[Step]) -> None:
    """Give two of the roads of a node a node of their own, and let both pairs run through."""
    other = 1 + max(name for name in graph if isinstance(name, int))
    graph.add_node(other, **graph.nodes[node])
    for road in roads:
        _, end, key = road
        data = {**graph.edges[road], "geometry": oriented(graph, *road)}
        graph.remove_edge(node, end, key)
        add_like(graph, other, end, data)
    merge_node(graph, node)
    merge_node(graph, other)


def place_junctions(graph: nx.MultiGraph, maps: ProbabilityMaps, reach_m: float) -> None:
    """Move each junction to the middle of the predicted one, in place.

    It moves at most `reach_m`, and stays where the model predicts no junction there.
    """
    for node in [node for node, degree in graph.degree if degree > 2]:
        here = np.array(position(graph, node))
        there = _centre_of_junction(here, maps, reach_m)
        if there is not None and not np.array_equal(here, there):
            _move(graph, node, there, float(np.hypot(*(there - here))))


def _centre_of_junction(point: Floats, maps: ProbabilityMaps, reach_m: float) -> Floats | None:
    """The centre of mass of the probability of a junction, where it exceeds half of its maximum."""
    window = maps.around(point, reach_m)
    chance = maps.shares(window, JUNCTION).astype(np.float64)
    rows, columns = np.indices(chance.shape)
    places = np.stack([columns + window[1].start, rows + window[0].start], axis=-1) + 0.5
    places = places * maps.pixel
    far = np.hypot(*(places - point).transpose(2, 0, 1)) > reach_m
    weights = np.where(far, 0.0, chance - (chance.max() + chance.min()) / 2).clip(0)
    total = weights.sum()
    return None if total <= 0 else np.einsum("rc,rci->i", weights, places) / total


def _move(graph: nx.MultiGraph, node: Hashable, there: Floats, shift: float) -> None:
    """Move a node; its roads bend over a stretch twice as long as the shift."""
    for road in list(graph.edges(node, keys=True)):
        line, data = oriented(graph, *road), graph.edges[road]
        bent = max(2 * shift, 1e-9)
        walked = walked_distances(line)
        from_both = road[0] == road[1]
        away = np.minimum(walked, walked[-1] - walked) if from_both else walked
        share = (1 - away / min(bent, walked[-1])).clip(0)
        moved = line + share[:, None] * (there - np.array(position(graph, node)))
        data["geometry"], data["length"] = moved, polyline_length(moved)
    graph.nodes[node].update(x=float(there[0]), y=float(there[1]))
