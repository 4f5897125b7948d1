"""Tiles whose truth is a mask file; their graphs have to be taken from the masks."""

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
from roadex.data.stretch import Calibration, Histogram, histogram, to_8_bits
from roadex.data.tile import Tile
from roadex.errors import RoadexError
from roadex.geo.grid import check_gsd
from roadex.rasters.masks import MaskRules, read_mask
from roadex.rasters.pictures import bit_depth, read_image
from roadex.rasters.rasters import Raster, read_raster

_WHITE = 252  # resampling leaves the rim of a white area a little darker
_TIFF = (".tif", ".tiff", ".vrt")


@dataclass(frozen=True)
class MaskReader:
    """Images with masks of the same size.

    Attributes:
        rules: what the user says of the masks' values.
        white_px: white areas of at least this many pixels have no data; None: white is a colour.
        bands: numbers of the red, green and blue band; None: as the file tells.
        gsd: metres per pixel that georeferenced images have to have; None: any.
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
        if raster.grid is not None:
            check_gsd(entry.image.name, "dataset.gsd", self.gsd, raster.grid.pixel_metres())
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
        return Tile(image, mask)

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
        """What the masks and images are read by."""
        return {
            "road_above": self.rules.above,
            "road_values": self.rules.values,
            "white_px": self.white_px,
            "bands": self.bands,
        }


def mask_rules(config: FolderConfig | DeepGlobeConfig | MassachusettsConfig) -> MaskRules:
    """What the settings say of the masks' values.

    Raises:
        RoadexError: they say two things.
    """
    values = config.road_values
    if values is not None and config.road_above is not None:
        raise RoadexError("dataset.road_above and dataset.road_values: give one of them, not both")
    return MaskRules(config.road_above, None if values is None else tuple(values))


def read_colours(path: Path, bands: list[int] | None) -> Raster:
    """Red, green and blue of a picture or raster, and where it has data.

    Raises:
        RoadexError: the file is damaged, or `bands` are wanted of a picture.
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
    """Connected areas (H, W) of white, at least so large, of an RGB image (H, W, 3)."""
    white = np.all(image >= _WHITE, axis=2)
    _, areas, table, _ = cv2.connectedComponentsWithStats(white.view(np.uint8))
    large = table[:, cv2.CC_STAT_AREA] >= least_px
    large[0] = False
    result: NDArray[np.bool_] = large[areas]
    return result
