"""From classified pairs of vertices to a road network of smooth lines."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import networkx as nx
import numpy as np

from roadex.config.graph import DecodingSettings, PathSettings
from roadex.errors import RoadexError
from roadex.graph.crossings import separate_bridges
from roadex.graph.decode import road_mask
from roadex.graph.frame import Gsd, extent, pixel_size
from roadex.graph.mask import half_widths
from roadex.graph.network import (
    Step,
    add_road,
    empty_network,
    merge_degree_two,
    merge_node,
    polyline_length,
    position,
    walked_distances,
)
from roadex.graph.paths.vertices import BORDER, Bools, Floats, Ints, Vertices
from roadex.graph.probability_maps import Probabilities, ProbabilityMaps
from roadex.graph.repair import drop_small_networks, prune_spurs
from roadex.graph.simplify import simplify_roads, tolerance_of

# Two of the three pairs of a triangle replace the third one if they are hardly longer.
_TRIANGLE = 2.5
# A pair less likely than this share of the threshold is no part of any road.
_WEAK = 0.4


@dataclass(frozen=True)
class ClassifiedPairs:
    """Pairs of vertices, and how likely a road joins each.

    Attributes:
        vertices: in metres in the frame of the image.
        pairs: (m, 2) indices of vertices.
        chances: (m,) from 0 to 1.
    """

    vertices: Vertices
    pairs: Ints
    chances: Floats


def paths_to_graph(
    classified: ClassifiedPairs,
    road: Probabilities,
    threshold: float,
    gsd: Gsd,
    settings: DecodingSettings,
    connectivity: Probabilities | None = None,
) -> nx.MultiGraph:
    """The road network of classified pairs.

    Args:
        classified: pairs in metres in the frame of the image.
        road: (H, W) the probability of road, uint8 in 1/256 or float in 0..1, for the widths.
        threshold: road where the probability reaches this.
        gsd: metres per pixel, one number or (along x, along y).
        settings: `paths.chance` must be known.
        connectivity: (K, H, W) as for `probabilities_to_graph`, for `bridge_junction`; None for a
            model without that task, whose crossings stay junctions.

    Returns:
        A network as `mask_to_graph` gives it, each road with its `chance` besides.
    """
    if settings.paths.chance is None:
        raise RoadexError("graph.paths.chance is needed: this checkpoint has none from validation")
    pixel = pixel_size(gsd)
    size = extent((road.shape[0], road.shape[1]), pixel)
    mask = road_mask(road, threshold)
    graph = joined_pairs(classified, settings.paths.chance, settings.paths)
    if settings.bridge_junction and connectivity is not None:
        _add_half_widths(graph, mask, pixel)
        maps = ProbabilityMaps(road, connectivity, pixel)
        separate_bridges(graph, maps, settings.bridge_junction)
    prune_spurs(graph, settings.min_spur_m)
    if settings.min_network_m:
        drop_small_networks(graph, settings.min_network_m, size)
    for *_, data in graph.edges(data=True):
        line = curved(data["geometry"])
        data.update(geometry=line, length=polyline_length(line))
    add_widths(graph, mask, pixel)
    simplify_roads(graph, tolerance_of(settings, pixel))
    for _, data in graph.nodes(data=True):
        for passing in ("kind", "half_width"):
            data.pop(passing, None)
    return graph


def _add_half_widths(graph: nx.MultiGraph, mask: Bools, pixel: tuple[float, float]) -> None:
    """Give each node the half of its road's width on a mask in metres, in place."""
    if not len(graph):
        return
    places = np.array([position(graph, node) for node in graph])
    halves = half_widths(mask, places / pixel - 0.5) * float(np.sqrt(pixel[0] * pixel[1]))
    nx.set_node_attributes(graph, dict(zip(graph, halves.tolist(), strict=True)), "half_width")


def add_widths(graph: nx.MultiGraph, mask: Bools, pixel: tuple[float, float]) -> None:
    """Give each road its mean width on a mask as `width_m`, in place; a pixel at least."""
    metres = float(np.sqrt(pixel[0] * pixel[1]))
    roads = list(graph.edges(data=True))
    if not roads:
        return
    lines = [data["geometry"] for *_, data in roads]
    halves = half_widths(mask, np.concatenate(lines) / pixel - 0.5)
    bounds = np.cumsum([0, *(len(line) for line in lines)])
    means = np.add.reduceat(halves, bounds[:-1]) / np.diff(bounds)
    for (*_, data), mean in zip(roads, means.tolist(), strict=True):
        data["width_m"] = max(2 * mean * metres + metres / 2, metres)


def joined_pairs(
    classified: ClassifiedPairs, chance: float, settings: PathSettings
) -> nx.MultiGraph:
    """The network of the pairs that are likely enough to be joined, in metres.

    A road counts as a whole, by the mean chance of its pairs weighted by length: one between two
    others needs `chance`, a dead end inside the image `settings.dead_end` times as
    much. Roads carry `chance`. Nodes are numbers of vertices, and carry their `kind`.
    """
    likely = classified.chances >= _WEAK * chance
    pairs, chances = classified.pairs[likely], classified.chances[likely]
    kept = ~_needless(classified.vertices.points, pairs, chances)
    graph = empty_network()
    points, kinds = classified.vertices.points, classified.vertices.kinds.tolist()
    for (u, v), value in zip(pairs[kept].tolist(), chances[kept].tolist(), strict=True):
        add_road(graph, u, v, points[[u, v]], chance=value)
    nx.set_node_attributes(graph, {node: kinds[node] for node in graph}, "kind")
    graph = merge_degree_two(graph)
    _drop_unlikely(graph, chance, min(settings.dead_end * chance, (1 + chance) / 2))
    return graph


def _needless(points: Floats, pairs: Ints, chances: Floats) -> Bools:
    """Pairs that are the least likely of a triangle, from the least likely on."""
    lengths = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T).tolist()
    near: dict[int, dict[int, int]] = {}
    for i, (u, v) in enumerate(pairs.tolist()):
        near.setdefault(u, {})[v] = i
        near.setdefault(v, {})[u] = i
    gone = np.zeros(len(pairs), dtype=np.bool_)
    values = chances.tolist()
    for i in np.argsort(chances, kind="stable").tolist():
        u, v = pairs[i].tolist()
        for third in near[u].keys() & near[v].keys():
            first, second = near[u][third], near[v][third]
            likelier = min(values[first], values[second]) >= values[i]
            if likelier and lengths[first] + lengths[second] <= _TRIANGLE * lengths[i]:
                del near[u][v], near[v][u]
                gone[i] = True
                break
    return gone


def _drop_unlikely(graph: nx.MultiGraph, through: float, dead_end: float) -> None:
    """Remove roads that are not likely enough, in place, from the least likely on.

    A road that it led to may then be a dead end, or become one with another.
    """
    queue = [(_share(graph, step, through, dead_end), i, step) for i, step in _numbered(graph)]
    heapq.heapify(queue)
    serial = len(queue)
    while queue and queue[0][0] < 1:
        share, _, step = heapq.heappop(queue)
        if not graph.has_edge(*step) or _share(graph, step, through, dead_end) != share:
            continue
        for changed in _without(graph, step):
            serial += 1
            heapq.heappush(queue, (_share(graph, changed, through, dead_end), serial, changed))


def _numbered(graph: nx.MultiGraph) -> list[tuple[int, Step]]:
    return list(enumerate(graph.edges(keys=True)))


def _share(graph: nx.MultiGraph, step: Step, through: float, dead_end: float) -> float:
    """The chance of a road relative to what it needs."""
    u, v, _ = step
    ends_here = any(graph.degree(n) == 1 and graph.nodes[n]["kind"] != BORDER for n in (u, v))
    chance: float = graph.edges[step]["chance"]
    return chance / (dead_end if ends_here else through)


def _without(graph: nx.MultiGraph, step: Step) -> list[Step]:
    """Remove a road; returns the roads that have changed."""
    u, v, key = step
    graph.remove_edge(u, v, key)
    changed: list[Step] = []
    for node in dict.fromkeys((u, v)):
        if node not in graph:
            continue
        merged = merge_node(graph, node)
        if merged is not None:
            changed.append(merged)
        elif graph.degree(node) == 0:
            graph.remove_node(node)
        elif graph.degree(node) == 1:
            changed.extend(graph.edges(node, keys=True))
    return [found for found in changed if graph.has_edge(*found)]


_STEP_M = 2.0


def curved(line: Floats) -> Floats:
    """A line (n, 2) in metres as a curve through its points, a point every two metres.

    It is the cubic of Catmull and Rom 1974 in the length walked, whose direction at a point is that
    from the point before to the point after; the ends stay, and a line of two points is straight.
    """
    if len(line) < 3:
        return line
    walked = walked_distances(line)
    ring = bool(np.array_equal(line[0], line[-1]))
    slopes = _slopes(line, walked, ring)
    stops = np.unique(np.concatenate([walked, np.arange(0.0, walked[-1], _STEP_M)]))
    piece = np.clip(np.searchsorted(walked, stops, side="right") - 1, 0, len(line) - 2)
    length = np.diff(walked)[piece][:, None]
    share = (stops - walked[piece])[:, None] / length
    first, second = line[piece], line[piece + 1]
    result: Floats = (
        (1 + 2 * share) * (1 - share) ** 2 * first
        + share**2 * (3 - 2 * share) * second
        + share * (1 - share) ** 2 * length * slopes[piece]
        - share**2 * (1 - share) * length * slopes[piece + 1]
    )
    result[0], result[-1] = line[0], line[-1]
    return result


def _slopes(line: Floats, walked: Floats, ring: bool) -> Floats:
    """The direction (n, 2) at each point, per metre walked."""
    slopes = np.empty_like(line)
    slopes[1:-1] = (line[2:] - line[:-2]) / (walked[2:] - walked[:-2])[:, None]
    # As of the parabola through the end, the next point and its direction.
    first = (line[1] - line[0]) / walked[1]
    last = (line[-1] - line[-2]) / (walked[-1] - walked[-2])
    slopes[0], slopes[-1] = 1.5 * first - 0.5 * slopes[1], 1.5 * last - 0.5 * slopes[-2]
    if ring:
        around = (line[1] - line[-2]) / (walked[1] + walked[-1] - walked[-2])
        slopes[0] = slopes[-1] = around
    return slopes
