"""Tiles labelled by a mask file; their graphs are extracted from the masks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.dataset import (
    DeepGlobeConfig,
    FolderConfig,
    MassachusettsConfig,
    StretchConfig,
)
from roadex.config.labels import IGNORE
from roadex.data.sources.files import Entry
from roadex.data.sources.georeferenced import resized, resized_labels
from roadex.data.stretch import Calibration, Histogram, histogram, to_8_bits
from roadex.data.tile import Tile
from roadex.errors import RoadexError
from roadex.geo.grid import Georeference, fits_gsd, square_shape
from roadex.rasters.masks import MaskRules, read_mask
from roadex.rasters.pictures import bit_depth, read_image
from roadex.rasters.rasters import Raster, read_raster

_WHITE = 252  # resampling leaves the border of a white area a little darker
# Georeferenced pixels that differ by no more than this from `gsd` are not resampled.
_SAME_PIXELS = 0.02
_TIFF = (".tif", ".tiff", ".vrt")


@dataclass(frozen=True)
class MaskReader:
    """Images with masks of the same size.

    Attributes:
        rules: what the user says about the masks' values.
        white_px: white areas of at least this many pixels have no data; None: white is a colour.
        bands: numbers of the bands, red, green and blue first; None: these, from the file.
        gsd: metres per pixel to which georeferenced images are resampled; None: they are not
            resampled.
    """

    rules: MaskRules
    white_px: int | None = None
    bands: list[int] | None = None
    stretch: StretchConfig = field(default_factory=StretchConfig)
    calibration: Calibration = field(default_factory=dict)
    gsd: float | None = None

    def read(self, entry: Entry) -> Tile:
        """The image and mask of a tile, which must have one size."""
        raster = read_colours(entry.image, self.bands)
        image = to_8_bits(raster.bands, self.calibration, entry.group, entry.image)
        mask = read_mask(entry.label, self.rules).road
        if image.shape[:2] != mask.shape:
            raise RoadexError(
                f"{entry.label}: {mask.shape[1]}x{mask.shape[0]} pixels, but its image "
                f"{entry.image.name} has {image.shape[1]}x{image.shape[0]}; make them one size"
            )
        if raster.valid is not None:
            mask[~raster.valid] = IGNORE
        if self.white_px is not None:
            mask[white_areas(image, self.white_px)] = IGNORE
        return self._at_wanted_pixels(Tile(image, mask), raster.grid)

    def _at_wanted_pixels(self, tile: Tile, grid: Georeference | None) -> Tile:
        """A tile resampled to `gsd` if its georeference gives another pixel size."""
        if (
            grid is None
            or self.gsd is None
            or fits_gsd(self.gsd, grid.pixel_metres(), _SAME_PIXELS)
        ):
            return tile
        across, down = grid.pixel_metres()
        shape = square_shape(grid.shape, (across, down), self.gsd)
        image, _ = resized(tile.image, None, shape)
        note = f"resampled from pixels of {across:.3g} x {down:.3g} m to {self.gsd:g} m"
        return Tile(image, resized_labels(tile.mask, shape), notes=(note,))

    def histogram(self, entry: Entry) -> Histogram | None:
        """The values of an image of more than 8 bits."""
        if entry.image.suffix.lower() not in _TIFF and bit_depth(entry.image) <= 8:
            return None
        raster = read_colours(entry.image, self.bands)
        if raster.bands.dtype == np.uint8:
            return None
        return histogram(raster.bands, raster.valid, self.stretch.every)

    def calibrated(self, calibration: Calibration) -> MaskReader:
        """The same reader, its contrast set."""
        return replace(self, calibration=calibration)

    def identity(self) -> dict[str, Any]:
        """The settings by which masks and images are read."""
        return {
            "road_above": self.rules.above,
            "road_values": self.rules.values,
            "white_px": self.white_px,
            "bands": self.bands,
        }


def mask_rules(config: FolderConfig | DeepGlobeConfig | MassachusettsConfig) -> MaskRules:
    """What the settings say about the masks' values.

    Raises:
        RoadexError: they contradict each other.
    """
    values = config.road_values
    if values is not None and config.road_above is not None:
        raise RoadexError("dataset.road_above and dataset.road_values: give one of them, not both")
    return MaskRules(config.road_above, None if values is None else tuple(values))


def read_colours(path: Path, bands: list[int] | None) -> Raster:
    """The bands of a picture or raster that a model sees, and where it has data.

    Raises:
        RoadexError: the file is damaged, or `bands` are set for a picture.
    """
    if path.suffix.lower() in _TIFF or bit_depth(path) > 8:
        try:
            return read_raster(path, bands, located=False)
        except RoadexError as error:
            if "needs rasterio" not in str(error) or bands is not None:
                raise
    if bands is not None:
        raise RoadexError(f"{path}: dataset.bands={bands} is for GeoTIFFs; leave it out")
    return Raster(np.moveaxis(read_image(path), -1, 0), None, None)


def white_areas(image: NDArray[np.uint8], least_px: int) -> NDArray[np.bool_]:
    """Connected areas (H, W) of white, of at least a given size, in an RGB image (H, W, 3)."""
    white = np.all(image >= _WHITE, axis=2)
    _, areas, table, _ = cv2.connectedComponentsWithStats(white.view(np.uint8))
    large = table[:, cv2.CC_STAT_AREA] >= least_px
    large[0] = False
    result: NDArray[np.bool_] = large[areas]
    return result
