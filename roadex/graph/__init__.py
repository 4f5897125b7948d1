"""Road graphs: from a mask, into rasters, and from and to files. Free of torch."""

from roadex.config.graph import DecodingSettings, GapSettings, GraphSettings
from roadex.graph.decode import mask_to_graph, probabilities_to_graph, road_mask
from roadex.graph.raster import connectivity_map, draw_roads

__all__ = [
    "DecodingSettings",
    "GapSettings",
    "GraphSettings",
    "connectivity_map",
    "draw_roads",
    "mask_to_graph",
    "probabilities_to_graph",
    "road_mask",
]
