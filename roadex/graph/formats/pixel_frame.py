"""Networks of images without a georeference, in files whose coordinates are the image's pixels.

In memory a network is in metres. Written in pixels (x right, y down, (0, 0) the outer corner of the
top left pixel) it lies on its image in any viewer; the attribute `pixel_m` of the network says how
large a pixel is, so that a file of ours comes back in metres.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.moving import moved

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
