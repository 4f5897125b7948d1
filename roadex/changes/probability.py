"""The probability of road at any place, from the raster that `roadex.predict` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from roadex.changes.samples import Floats
from roadex.errors import RoadexError
from roadex.geo.crs import reproject, short_name
from roadex.rasters.rasters import load_rasterio

_BLOCK = 2048
_EDGE_POINTS = 32


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
        rasterio = load_rasterio()
        result = np.full(len(points), np.nan)
        with _opened(self.path) as file:
            places = reproject(points, self.crs, short_name_of(file))
            columns, rows = np.floor(_through(~file.transform, places)).astype(np.int64).T
            known = (columns >= 0) & (columns < file.width) & (rows >= 0) & (rows < file.height)
            across = -(-file.width // _BLOCK)
            block = np.where(known, rows // _BLOCK * across + columns // _BLOCK, -1)
            for number in np.unique(block[known]).tolist():
                top, left = (number // across * _BLOCK, number % across * _BLOCK)
                window = rasterio.windows.Window(
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
        with _opened(self.path) as file:
            share = np.linspace(0, 1, _EDGE_POINTS)
            zero, one = np.zeros_like(share), np.ones_like(share)
            ring = np.column_stack(
                [
                    np.concatenate([share, one, share[::-1], zero]) * file.width,
                    np.concatenate([zero, share, one, share[::-1]]) * file.height,
                ]
            )
            corners = _through(file.transform, ring)
            return shapely.Polygon(reproject(corners, short_name_of(file), self.crs))


def _through(transform: Any, points: Floats) -> Floats:
    """Points (n, 2) from pixels (column, row) to places (x, y), or back by the inverse."""
    a, b, c, d, e, f = transform[:6]
    return np.asarray(points @ np.array([[a, d], [b, e]]) + (c, f))


def short_name_of(file: Any) -> str:
    """The system of an open raster.

    Raises:
        RoadexError: it names none.
    """
    if file.crs is None:
        raise RoadexError(f"{file.name} names no coordinate reference system: assign one first")
    return short_name(CRS.from_wkt(file.crs.to_wkt()))


def _opened(path: Path) -> Any:
    rasterio = load_rasterio()
    try:
        return rasterio.open(path)
    except rasterio.errors.RasterioError as error:
        raise RoadexError(f"probability={path} is no readable raster ({error})") from error
