"""Tiles of georeferenced rasters labelled by centre lines, resampled to square pixels."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.dataset import StretchConfig
from roadex.config.labels import IGNORE
from roadex.data.sources.files import Entry
from roadex.data.sources.line_labels import Frame, LineLabels
from roadex.data.stretch import Calibration, Histogram, histogram, to_8_bits
from roadex.data.tile import Tile
from roadex.geo.grid import square_shape
from roadex.rasters.pictures import by_bands
from roadex.rasters.rasters import read_raster


@dataclass(frozen=True)
class GeoReader:
    """Rasters resampled to square pixels of `gsd` metres, with their lines in the image frame.

    A tile in degrees has oblong pixels (0.24 by 0.30 m in Las Vegas): it is resized along each axis
    so that one number gives the size of its pixels, and its lines are scaled by the same factors,
    so that they match the pixels exactly.
    """

    gsd: float
    lines: LineLabels
    stretch: StretchConfig
    bands: list[int] | None = None
    calibration: Calibration = field(default_factory=dict)

    def read(self, entry: Entry) -> Tile:
        """The raster in 8 bits, its road surface and its network."""
        raster = read_raster(entry.image, self.bands)
        assert raster.grid is not None  # read_raster demands it
        shape = square_shape(raster.grid.shape, raster.grid.pixel_metres(), self.gsd)
        image, valid = resized(
            to_8_bits(raster.bands, self.calibration, entry.group, entry.image), raster.valid, shape
        )
        mask, graph, notes, tagged = self.lines.draw(entry, Frame(raster.grid, shape, self.gsd))
        if valid is not None:
            mask[~valid] = IGNORE
        return Tile(image, mask, graph, notes, tagged)

    def histogram(self, entry: Entry) -> Histogram | None:
        """The values of a raster of more than 8 bits."""
        raster = read_raster(entry.image, self.bands)
        if raster.bands.dtype == np.uint8:
            return None
        return histogram(raster.bands, raster.valid, self.stretch.every)

    def calibrated(self, calibration: Calibration) -> GeoReader:
        """The same reader with its contrast set."""
        return replace(self, calibration=calibration)

    def identity(self) -> dict[str, Any]:
        """Widths of roads, contrast and bands."""
        return {
            **self.lines.identity(),
            "stretch": asdict(self.stretch),
            "bands": self.bands,
        }


def resized(
    image: NDArray[np.uint8], valid: NDArray[np.bool_] | None, shape: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """An image (H, W, n), and where it has data (H, W), at another number of rows and columns."""
    if image.shape[:2] == shape:
        return image, valid
    shrinks = shape[0] <= image.shape[0] and shape[1] <= image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    seen = by_bands(lambda part: cv2.resize(part, shape[::-1], interpolation=how), image)
    if valid is None:
        return seen, None
    return seen, np.greater(resized_labels(valid.view(np.uint8), shape), 0)


def resized_labels(labels: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Labels (H, W) at another number of rows and columns, by the nearest pixel."""
    how = cv2.INTER_NEAREST_EXACT
    return np.asarray(cv2.resize(labels, shape[::-1], interpolation=how), np.uint8)
