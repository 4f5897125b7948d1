"""From what a network says of every pixel to a road graph."""

from __future__ import annotations

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.config.graph import DecodingSettings, GraphSettings
from roadex.errors import RoadexError
from roadex.graph.decode import decode
from roadex.graph.frame import Gsd, pixel_size
from roadex.graph.probability_maps import STEPS, Probabilities, ProbabilityMaps

_DEFAULTS = DecodingSettings()


def probabilities_to_graph(
    road: Probabilities,
    connectivity: Probabilities | None,
    threshold: float,
    gsd: Gsd,
    settings: GraphSettings = _DEFAULTS,
) -> nx.MultiGraph:
    """The road network of a probability map.

    Args:
        road: (H, W), the probability of road: uint8 in 1/256, or float in 0..1. May be a memmap.
        connectivity: (K, H, W) of the same kinds, the probability of each number of directions in
            which the road leaves a pixel (0 background, 1 dead end, 2 along a road, more:
            junctions); None for a network without that task.
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
