"""The image frame: x right, y down, in metres from the tile's outer top left corner.

And networks moved: every coordinate changed by one function, topology and attributes kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.graph.network import polyline_length, position

# Ground sampling distance in metres: one number, or (along x, along y) for oblong pixels.
Gsd = float | tuple[float, float]


def pixel_size(gsd: Gsd) -> tuple[float, float]:
    """Metres per pixel along x and y.

    Raises:
        RoadexError: a pixel size that is not positive.
    """
    along_x, along_y = gsd if isinstance(gsd, tuple) else (gsd, gsd)
    if not (along_x > 0 and along_y > 0):
        raise RoadexError(f"gsd={gsd}: the pixel size must be more than 0 metres")
    return float(along_x), float(along_y)


def extent(shape: tuple[int, int], gsd: Gsd) -> tuple[float, float]:
    """Width and height in metres of a tile of `shape` (rows, columns)."""
    along_x, along_y = pixel_size(gsd)
    return shape[1] * along_x, shape[0] * along_y


Floats = NDArray[np.float64]


def moved(
    graph: nx.MultiGraph,
    move: Callable[[Floats], Floats],
    crs: str | None,
    measure_anew: bool = False,
) -> nx.MultiGraph:
    """A copy with every coordinate changed by `move`, (n, 2) to (n, 2), in the system `crs`.

    Args:
        measure_anew: whether lengths become those of the moved lines; else they stay.
    """
    copy = nx.MultiGraph(**{**graph.graph, "crs": crs})
    if not len(graph):
        return copy
    nodes = list(graph)
    lines = [line for *_, line in graph.edges(data="geometry")]
    places = np.array([position(graph, node) for node in nodes])
    points = move(np.concatenate([places, *lines]))
    for node, (x, y) in zip(nodes, points[: len(nodes)].tolist(), strict=True):
        copy.add_node(node, **{**graph.nodes[node], "x": x, "y": y})
    cuts = np.cumsum([len(nodes), *(len(line) for line in lines)])
    for (u, v, key, data), first, last in zip(
        graph.edges(keys=True, data=True), cuts[:-1], cuts[1:], strict=True
    ):
        line = points[first:last]
        own: dict[str, Any] = {"geometry": line}
        if measure_anew:
            own["length"] = polyline_length(line)
        copy.add_edge(u, v, key)
        copy.edges[u, v, key].update({**data, **own})
    return copy


def shifted(graph: nx.MultiGraph, x_m: float, y_m: float) -> nx.MultiGraph:
    """A copy, every position shifted by (x_m, y_m)."""
    return moved(graph, lambda points: points + (x_m, y_m), graph.graph.get("crs"))
