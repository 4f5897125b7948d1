"""Road masks as pictures: the network is the graph of the mask."""

from __future__ import annotations

from pathlib import Path

import networkx as nx

from roadex.errors import RoadexError
from roadex.graph.decode import mask_to_graph
from roadex.graph.formats.options import ReadOptions
from roadex.rasters.masks import MaskRules, read_mask

_RULES = MaskRules(keys=("road_above", "road_values"))
_MOST_ROAD = 0.75


def network_of_mask(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """The network of a road mask, in the image frame; ignored pixels are no road.

    Raises:
        RoadexError: the file is no mask, or the size of its pixels is unknown.
    """
    if not path.is_file():
        raise RoadexError(f"{path} does not exist: check the path")
    mask = read_mask(path, _RULES)
    road = mask.road == 1
    if road.mean() > _MOST_ROAD:
        raise RoadexError(
            f"{path}: {road.mean():.0%} of it is road: is it black on white? Invert it"
        )
    return mask_to_graph(road, options.pixel_size(path, mask.gsd), options.graph)
