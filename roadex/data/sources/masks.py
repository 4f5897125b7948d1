"""Tiles whose truth is a mask file; their graphs have to be taken from the masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.data.images import read_image, read_mask
from roadex.data.prepared import IGNORE
from roadex.data.sources.files import Entry
from roadex.data.stretch import Calibration
from roadex.data.tile import Tile
from roadex.errors import RoadexError

_WHITE = 252  # resampling leaves the rim of a white area a little darker


@dataclass(frozen=True)
class MaskReader:
    """Images with masks of the same size.

    Attributes:
        road_above: a mask pixel above this 8-bit value is road.
        white_px: white areas of at least this many pixels have no data; None: white is a colour.
    """

    road_above: int
    white_px: int | None = None

    def read(self, entry: Entry) -> Tile:
        """The image and mask of a tile, which must have one size."""
        image, mask = read_image(entry.image), read_mask(entry.label, self.road_above)
        if image.shape[:2] != mask.shape:
            raise RoadexError(
                f"{entry.label}: {mask.shape[1]}x{mask.shape[0]} pixels, but its image "
                f"{entry.image.name} has {image.shape[1]}x{image.shape[0]}; make them one size"
            )
        if self.white_px is not None:
            mask[white_areas(image, self.white_px)] = IGNORE
        return Tile(image, mask)

    def histogram(self, entry: Entry) -> None:
        """Nothing: the images have 8 bits."""

    def calibrated(self, calibration: Calibration) -> MaskReader:
        """Itself: the images have 8 bits."""
        return self

    def identity(self) -> dict[str, Any]:
        """The two thresholds."""
        return {"road_above": self.road_above, "white_px": self.white_px}


def white_areas(image: NDArray[np.uint8], least_px: int) -> NDArray[np.bool_]:
    """Connected areas (H, W) of white, at least so large, of an RGB image (H, W, 3)."""
    white = np.all(image >= _WHITE, axis=2)
    _, areas, table, _ = cv2.connectedComponentsWithStats(white.view(np.uint8))
    large = table[:, cv2.CC_STAT_AREA] >= least_px
    large[0] = False
    return large[areas]
