"""From a road mask, or from a model's probability maps, to a road graph."""

from __future__ import annotations

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.config.graph import DecodingSettings, GraphSettings
from roadex.errors import RoadexError
from roadex.graph.border import extend_to_border, mark_border
from roadex.graph.crossings import place_junctions, separate_bridges
from roadex.graph.frame import Gsd, extent, pixel_size
from roadex.graph.gaps import close_gaps
from roadex.graph.mask import clean_mask, drop_blobs, half_widths, on_the_ridge
from roadex.graph.network import empty_network, merge_node, walked_distances
from roadex.graph.probability_maps import STEPS, Probabilities, ProbabilityMaps
from roadex.graph.repair import (
    RING_POINTS,
    drop_end_forks,
    drop_small_networks,
    merge_junctions,
    prune_spurs,
)
from roadex.graph.simplify import simplify_roads, tolerance_of
from roadex.graph.skeleton import Floats, Ints, Lines, smooth_chains, trace
from roadex.graph.thin import thin

_DEFAULTS = GraphSettings()


def mask_to_graph(
    mask: NDArray[np.generic], gsd: Gsd, settings: GraphSettings = _DEFAULTS
) -> nx.MultiGraph:
    """The road network of a mask, after the recipe of Xu et al. 2023 with lengths in metres.

    Small islands and holes are dropped, the rest is thinned to lines one pixel wide, and these are
    made into a graph whose traces of the roads' width (split junctions, forked ends, spurs, ends
    short of the border) are repaired and whose lines are simplified.

    Args:
        mask: (rows, columns), road where not zero.
        gsd: metres per pixel, one number or (along x, along y).
        settings: thresholds, in metres.

    Returns:
        A network in the image frame with whole-numbered nodes; roads carry `width_m`, their mean
        width on the mask, good to about a pixel. Roads cut by the border end on it.

    Raises:
        RoadexError: the mask is not two-dimensional, or the pixel size not positive.
    """
    return decode(mask, gsd, settings, None)


def decode(
    mask: NDArray[np.generic], gsd: Gsd, settings: GraphSettings, maps: ProbabilityMaps | None
) -> nx.MultiGraph:
    """`mask_to_graph`, with a model's maps besides the mask."""
    if mask.ndim != 2:
        raise RoadexError(f"a mask of shape {mask.shape}: give one band, (rows, columns)")
    pixel = pixel_size(gsd)
    area = pixel[0] * pixel[1]
    size = extent((mask.shape[0], mask.shape[1]), pixel)
    road = clean_mask(mask, settings.min_area_m2 / area, settings.min_hole_m2 / area)
    del mask  # arrays of a large map are large
    if settings.max_half_width_m:
        drop_blobs(road, settings.max_half_width_m / float(np.sqrt(area)))
    graph = _network(trace(thin(road)), road, pixel)
    if isinstance(settings, DecodingSettings) and settings.spur_half_widths:
        mark_border(graph, size)
        prune_spurs(graph, settings.min_spur_m, settings.spur_half_widths)
    merge_junctions(graph, settings.junction_merge)
    drop_end_forks(graph)
    for node in [node for node, degree in graph.degree if degree == 2]:
        merge_node(graph, node)
    extend_to_border(graph, road, pixel, settings.border_m)
    if isinstance(settings, DecodingSettings):
        _use_probabilities(graph, maps, settings)
    prune_spurs(graph, settings.min_spur_m)
    if isinstance(settings, DecodingSettings) and settings.min_network_m:
        drop_small_networks(graph, settings.min_network_m, size)
    simplify_roads(graph, tolerance_of(settings, pixel))
    for _, data in graph.nodes(data=True):
        for passing in ("half_width", "on_border"):
            data.pop(passing, None)
    return graph


def _use_probabilities(
    graph: nx.MultiGraph, maps: ProbabilityMaps | None, settings: DecodingSettings
) -> None:
    """Use the connectivity: bridges, gaps, junctions."""
    if maps is None:
        return
    if settings.bridge_junction:
        separate_bridges(graph, maps, settings.bridge_junction)
    close_gaps(graph, maps, settings.gaps)
    for node in [node for node, degree in graph.degree if degree == 2]:
        merge_node(graph, node)
    if settings.junction_shift_m:
        place_junctions(graph, maps, settings.junction_shift_m)


def _network(lines: Lines, road: NDArray[np.bool_], pixel: tuple[float, float]) -> nx.MultiGraph:
    """The traced lines as a network in metres, with the half-widths of nodes and roads."""
    metres = float(np.sqrt(pixel[0] * pixel[1]))
    widths = half_widths(road, np.concatenate([lines.nodes, lines.points])) * metres
    points = (_centred(lines, road) + 0.5) * pixel
    nodes = (lines.nodes + 0.5) * pixel
    node_widths, point_widths = np.split(widths, [len(nodes)])
    graph = empty_network()
    for node in np.unique(lines.ends).tolist():
        x, y = nodes[node].tolist()
        graph.add_node(node, x=x, y=y, half_width=float(node_widths[node]))
    if len(lines.ends):
        lengths, mean_widths = _per_line(points, point_widths, lines.offsets, metres)
        bounds = lines.offsets.tolist()
        for i, (u, v) in enumerate(lines.ends.tolist()):
            line = points[bounds[i] : bounds[i + 1]]
            if u != v or len(line) >= RING_POINTS:
                graph.add_edge(u, v, geometry=line, length=lengths[i], width_m=mean_widths[i])
    return graph


def _centred(lines: Lines, road: NDArray[np.bool_]) -> Floats:
    """The points of all lines in pixels, in the middle of their road and without stairs."""
    points = on_the_ridge(road, lines.points)
    ends = np.concatenate([lines.offsets[:-1], lines.offsets[1:] - 1])
    points[ends] = lines.points[ends]
    return smooth_chains(points, lines.offsets, lines.ends[:, 0] == lines.ends[:, 1])


def _per_line(
    points: Floats, widths: Floats, offsets: Ints, pixel: float
) -> tuple[list[float], list[float]]:
    """Length and mean width of every line.

    A road an even number of pixels wide has no middle pixel, so that its smaller half-width is
    taken; half a pixel, half the time, is made up for.
    """
    walked = walked_distances(points)
    lengths = walked[offsets[1:] - 1] - walked[offsets[:-1]]
    means = np.add.reduceat(widths, offsets[:-1]) / np.diff(offsets)
    return lengths.tolist(), (2 * means + pixel / 2).tolist()


_DECODING = DecodingSettings()


def probabilities_to_graph(
    road: Probabilities,
    connectivity: Probabilities | None,
    threshold: float,
    gsd: Gsd,
    settings: GraphSettings = _DECODING,
) -> nx.MultiGraph:
    """The road network of a probability map.

    Args:
        road: (H, W), the probability of road: uint8 in 1/256, or float in 0..1. May be a memmap.
        connectivity: (K, H, W) of the same kinds, the probability of each number of directions in
            which the road leaves a pixel (0 background, 1 dead end, 2 along a road, more:
            junctions); None for a model without that task.
        threshold: road where the probability reaches this.
        gsd: metres per pixel, one number or (along x, along y).
        settings: lengths in metres.

    Returns:
        A network as `mask_to_graph` gives it.

    Raises:
        RoadexError: maps of the wrong shape, or a pixel size that is not positive.
    """
    if connectivity is not None and connectivity.shape[1:] != road.shape:
        raise RoadexError(
            f"a road map of shape {road.shape} with a connectivity map of shape "
            f"{connectivity.shape}: give (H, W) and (K, H, W)"
        )
    maps = None if connectivity is None else ProbabilityMaps(road, connectivity, pixel_size(gsd))
    return decode(road_mask(road, threshold), gsd, settings, maps)


def road_mask(road: Probabilities, threshold: float) -> NDArray[np.bool_]:
    """Where a probability map, uint8 in 1/256 or float in 0..1, reaches a threshold.

    The threshold is rounded to 1/256 where the map is.
    """
    return road >= (round(threshold * STEPS) if road.dtype == np.uint8 else threshold)
