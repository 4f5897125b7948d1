"""Road masks as pictures: the network is the graph of the mask."""

from __future__ import annotations

from pathlib import Path

import networkx as nx

from roadex.errors import RoadexError
from roadex.graph.decode import mask_to_graph
from roadex.graph.formats.options import ReadOptions
from roadex.rasters.masks import MOST_ROAD, read_mask


def network_of_mask(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """The network of a road mask, in the image frame; ignored pixels are no road.

    Raises:
        RoadexError: the file is no mask, or the size of its pixels is unknown.
    """
    if not path.is_file():
        raise RoadexError(f"{path} does not exist: check the path")
    mask = read_mask(path, options.masks)
    road = mask.road == 1
    if road.mean() > MOST_ROAD:
        raise RoadexError(
            f"{path}: {road.mean():.0%} of it is road: is it black on white? Then set "
            f"{options.masks.keys[1]}=[0]"
        )
    return mask_to_graph(road, options.pixel_size(path, mask.gsd), options.graph)
