"""Reading georeferenced rasters of 8 to 16 bits with any number of bands."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadex.data.georeference import Georeference
from roadex.errors import RoadexError
from roadex.files import atomic_write

# Red, green and blue by the number of bands, where a file does not say: one band is shown as grey,
# eight are WorldView's (coastal, blue, green, yellow, red, red edge, two of near infrared).
BANDS = {1: (1, 1, 1), 2: (1, 1, 1), 3: (1, 2, 3), 4: (1, 2, 3), 8: (5, 3, 2)}


@dataclass(frozen=True)
class Raster:
    """Three bands of a raster.

    Attributes:
        bands: (3, H, W) uint8 or uint16, red, green, blue.
        valid: (H, W) where there are data; None: everywhere.
    """

    bands: NDArray[Any]
    valid: NDArray[np.bool_] | None
    grid: Georeference


def read_raster(path: Path, bands: list[int] | None = None) -> Raster:
    """Red, green and blue of a GeoTIFF, or the three `bands`, counted from 1.

    What is transparent or declared as no data is not valid, nor are pixels of more than 8 bits that
    are zero in all three bands.

    Raises:
        RoadexError: the extra `geo` is missing; the file is damaged, has no coordinate system, is
            turned against north, or holds neither 8- nor 16-bit integers.
    """
    rasterio = load_rasterio()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            with rasterio.open(path) as file:
                grid = grid_of(path, file)
                chosen = colour_bands(path, file, bands)
                first = file.read(sorted(set(chosen)))
                return Raster(*_pixels(path, file, first, chosen), grid)
    except (rasterio.errors.RasterioError, rasterio.errors.RasterioIOError, ValueError) as error:
        # Rasterio says "read failed", and the library below it why.
        reason = next(iter(str(error.__cause__ or error).splitlines()), repr(error))
        raise RoadexError(
            f"{path}: not a readable raster ({reason}); replace or remove the file"
        ) from error


def load_rasterio() -> ModuleType:
    """The package rasterio.

    Raises:
        RoadexError: it is not installed.
    """
    try:
        import rasterio
        import rasterio.errors
    except ImportError as error:
        raise RoadexError('GeoTIFF needs rasterio: pip install "roadex[geo]"') from error
    # It logs what it raises as well: a bad file is told of in one line, that of who catches it.
    logging.getLogger("rasterio").setLevel(logging.CRITICAL)
    return rasterio


def grid_of(path: Path, file: Any) -> Georeference:
    """Where an open raster lies.

    Raises:
        RoadexError: it has no coordinate system, or is turned against north.
    """
    if file.crs is None:
        raise RoadexError(f"{path}: no coordinate system; assign one, or use masks as labels")
    place = file.transform
    if max(abs(place.b), abs(place.d)) > 1e-6 * min(abs(place.a), abs(place.e)):
        raise RoadexError(f"{path}: its rows do not run east; warp it to a north-up grid first")
    crs = f"EPSG:{file.crs.to_epsg()}" if file.crs.to_epsg() else file.crs.to_wkt()
    return Georeference(crs, (place.c, place.f), (place.a, place.e), (file.height, file.width))


def colour_bands(
    path: Path, file: Any, wanted: list[int] | None, key: str = "dataset.bands"
) -> tuple[int, ...]:
    """The numbers of the red, green and blue band of an open raster.

    Args:
        wanted: the numbers that the setting `key` gives; None: by the bands' names or their count.

    Raises:
        RoadexError: there are no such bands, or nothing says which they are.
    """
    if wanted is not None:
        if len(wanted) != 3 or not all(1 <= band <= file.count for band in wanted):
            raise RoadexError(f"{path}: {key}={wanted}: name three of its {file.count}")
        return tuple(wanted)
    names = [colour.name for colour in file.colorinterp]
    if {"red", "green", "blue"} <= set(names):
        return tuple(names.index(colour) + 1 for colour in ("red", "green", "blue"))
    if file.count not in BANDS:
        raise RoadexError(
            f"{path}: {file.count} bands; say which are red, green and blue: {key}=[R,G,B]"
        )
    return BANDS[file.count]


def _pixels(
    path: Path, file: Any, read: NDArray[Any], chosen: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The three bands, and where they are valid."""
    if read.dtype == np.int16:
        read = read.clip(0).astype(np.uint16)
    if read.dtype not in (np.uint8, np.uint16):
        raise RoadexError(f"{path}: {read.dtype} values; convert it to 8- or 16-bit integers")
    order = sorted(set(chosen))
    bands = read[[order.index(band) for band in chosen]]
    return bands, _valid(file, bands)


def _valid(file: Any, bands: NDArray[Any]) -> NDArray[np.bool_] | None:
    names = [colour.name for colour in file.colorinterp]
    valid = np.ones(bands.shape[1:], dtype=np.bool_)
    if "alpha" in names:
        valid &= file.read(names.index("alpha") + 1) > 0
    if file.nodata is not None:
        valid &= (bands != file.nodata).any(axis=0)
    elif bands.dtype != np.uint8:
        valid &= (bands[0] | bands[1] | bands[2]) != 0
    return None if valid.all() else valid


def write_raster(path: Path, pixels: NDArray[Any], grid: Georeference) -> None:
    """Write (H, W, 3) as a GeoTIFF, compressed without loss.

    Raises:
        RoadexError: the extra `geo` is missing, or the file cannot be written.
    """
    rasterio = load_rasterio()
    place = rasterio.Affine(grid.step[0], 0, grid.corner[0], 0, grid.step[1], grid.corner[1])
    rows, columns = grid.shape
    options = {"count": 3, "dtype": pixels.dtype, "crs": grid.crs, "transform": place}
    options |= {"compress": "lzw", "predictor": 2, "photometric": "rgb"}
    # By way of memory: on a full disk the TIFF library prints lines of its own.
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", height=rows, width=columns, **options) as file:
            file.write(np.moveaxis(pixels, -1, 0))
        with atomic_write(path) as temporary:
            temporary.write_bytes(memory.getbuffer())
