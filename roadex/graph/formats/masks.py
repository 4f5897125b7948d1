"""Road masks as pictures: the network is the graph of the mask."""

from __future__ import annotations

from pathlib import Path

import cv2
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.graph.decode import mask_to_graph
from roadex.graph.formats.options import ReadOptions

_ROAD_8_BIT = 127  # soft edges: a road is brighter


def read_mask(path: Path) -> NDArray[np.bool_]:
    """A boolean road mask (rows, columns) from a picture of one band or of several equal ones.

    Road is above 127 in eight bits, above half in floating point, and above 0 where nothing
    exceeds 1.

    Raises:
        RoadexError: the file is no picture, or its bands differ.
    """
    if not path.is_file():
        raise RoadexError(f"{path} does not exist: check the path")
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise RoadexError(f"{path} is not a readable picture: is it cut short?")
    if picture.ndim == 3:
        bands = picture[..., :3]
        if not (bands == bands[..., :1]).all():
            raise RoadexError(f"{path} is a colour picture, not a mask: give a grey one")
        picture = bands[..., 0]
    if np.issubdtype(picture.dtype, np.floating):
        return picture > 0.5
    return picture > (_ROAD_8_BIT if picture.max(initial=0) > 1 else 0)


def network_of_mask(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """The network of a road mask, in the image frame."""
    return mask_to_graph(read_mask(path), options.gsd, options.graph)
