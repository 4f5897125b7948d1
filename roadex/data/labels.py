"""Road surfaces drawn from centre lines, and centre lines clipped to their tile."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.config.dataset import RoadWidthConfig
from roadex.graph.network import (
    add_road,
    empty_network,
    merge_degree_two,
    oriented,
    polyline_length,
    position,
)
from roadex.graph.raster import draw_roads

Floats = NDArray[np.float64]
_TRACE_M = 0.5  # shorter pieces of a road within a tile are left out: the border only grazes them


def road_surface(
    graph: nx.MultiGraph, shape: tuple[int, int], gsd: float, widths: RoadWidthConfig
) -> NDArray[np.uint8]:
    """The mask (H, W), 1 where road, of a network in the image frame; sets its `width_m`."""
    for *_, data in graph.edges(data=True):
        data["width_m"] = 2 * half_width(data, widths)
    return draw_roads(graph, shape, gsd, "width_m").astype(np.uint8)


def half_width(road: dict[str, object], widths: RoadWidthConfig) -> float:
    """Half the width in metres of a road by the first attribute that names a known type."""
    for attribute in widths.attributes:
        kind = str(road.get(attribute, "")).strip().lower().removesuffix("_link")
        if kind in widths.by_type:
            return float(widths.by_type[kind])
    return widths.other_m


def clip_to_tile(
    graph: nx.MultiGraph, size: tuple[float, float], keep_apart: Collection[str] = ()
) -> nx.MultiGraph:
    """The part of a network within a tile `size` metres (x, y) large.

    Roads that the border cuts end on it; a node on the border may hold several of them.

    Args:
        keep_apart: attributes at whose change a road ends.
    """
    corner = np.array(size)
    clipped = empty_network(graph.graph.get("crs"))
    numbers: dict[object, int] = {}
    for u, v, key, data in graph.edges(keys=True, data=True):
        traits = {k: value for k, value in data.items() if k not in ("geometry", "length")}
        ends = {position(graph, node): ("node", node) for node in (u, v)}
        for line in _within(oriented(graph, u, v, key), corner):
            tips = [tuple(tip) for tip in (line[0].tolist(), line[-1].tolist())]
            names = [ends.get(tip, ("cut", u, v, key, *tip)) for tip in tips]
            pair = [numbers.setdefault(name, len(numbers)) for name in names]
            add_road(clipped, pair[0], pair[1], line, **traits)
    return merge_degree_two(clipped, keep_apart)


def _within(line: Floats, corner: Floats) -> Iterator[Floats]:
    """The pieces of a line inside the tile; one that is wholly inside is given as it is."""
    if line.min() >= 0 and (line <= corner).all():
        yield line
        return
    if (line.max(axis=0) < 0).any() or (line.min(axis=0) > corner).any():
        return
    # Unlike an intersection, this does not break a line where it crosses itself.
    inside = shapely.clip_by_rect(shapely.LineString(line), 0, 0, *corner)
    for part in shapely.get_parts(inside):
        points = np.clip(shapely.get_coordinates(part), 0, corner)
        if len(points) > 1 and polyline_length(points) > _TRACE_M:
            yield points
