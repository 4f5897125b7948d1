"""A tile as its dataset gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Tile:
    """One image with its labels.

    Attributes:
        image: (H, W, bands) uint8, red, green and blue first.
        mask: (H, W) uint8, 1 road, 0 not, 255 neither trained on nor scored.
        graph: the true road graph in metres in the image frame; None where only masks exist.
        tagged: gives its roads with their tags and `width_m`, apart where tags change, in the same
            frame; None if the dataset has no attributes.
        notes: what was corrected or left out while reading, for the report.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    graph: nx.MultiGraph | None = None
    notes: tuple[str, ...] = ()
    tagged: Callable[[], nx.MultiGraph] | None = None
