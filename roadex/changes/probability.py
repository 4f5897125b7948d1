"""The probability of road at any place, from the raster that `roadex.predict` wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from roadex.changes.samples import Floats
from roadex.errors import RoadexError
from roadex.geo.grid import Georeference
from roadex.rasters.rasters import grid_of, load_rasterio, open_raster, readable

_BLOCK = 2048


@dataclass(frozen=True)
class ProbabilityRaster:
    """A raster of probabilities, read block by block.

    Attributes:
        path: of one band, whose scale and offset make probabilities of its values.
        crs: the system of the places.
    """

    path: Path
    crs: str

    def at(self, points: Floats) -> Floats:
        """The probability at places (n, 2); NaN outside the image and where it has no data."""
        windows = load_rasterio().windows
        result = np.full(len(points), np.nan)
        with self._opened() as (file, grid):
            columns, rows = np.floor(grid.pixels(points, self.crs)).astype(np.int64).T
            known = (columns >= 0) & (columns < file.width) & (rows >= 0) & (rows < file.height)
            across = -(-file.width // _BLOCK)
            block = np.where(known, rows // _BLOCK * across + columns // _BLOCK, -1)
            for number in np.unique(block[known]).tolist():
                top, left = (number // across * _BLOCK, number % across * _BLOCK)
                window = windows.Window(
                    left, top, min(_BLOCK, file.width - left), min(_BLOCK, file.height - top)
                )
                values = file.read(1, window=window, masked=True)
                here = np.flatnonzero(block == number)
                found = values[rows[here] - top, columns[here] - left].astype(np.float64)
                result[here] = (found * file.scales[0] + file.offsets[0]).filled(np.nan)
        if not np.all(np.isnan(result) | ((result >= 0) & (result <= 1))):
            raise RoadexError(
                f"probability={self.path} holds values up to {np.nanmax(result):g} and no "
                "probabilities: give NAME.probability.tif as roadex.predict writes it"
            )
        return result

    def outline(self) -> shapely.Geometry:
        """The image's outline in the system of the places."""
        with self._opened() as (_, grid):
            return shapely.Polygon(grid.outline(self.crs))

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Georeference]]:
        """The raster, and where it lies.

        Raises:
            RoadexError: it is damaged, turned against north, or names no coordinate system.
        """
        with open_raster(self.path) as file, readable(self.path):
            grid = grid_of(self.path, file)
            if grid is None:
                raise RoadexError(f"probability={self.path}: no coordinate system; assign one")
            yield file, grid
