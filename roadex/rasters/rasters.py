"""Rasters that GDAL reads: which bands a model sees, which pixels are valid, where the raster lies.

Every command uses these rules: training, prediction, and the masks of both.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.files import atomic_write
from roadex.geo.crs import is_local, is_metric, local_unit_m, parse_crs
from roadex.geo.grid import Georeference
from roadex.rasters.pictures import pixel_of_step, require_memory, world_file_pixel
from roadex.rasters.remote import HTTP_OPTIONS, REMOTE_OPTIONS, Remote, Source, without_secrets

# By default GDAL caches blocks in 5 % of the machine's memory, and silently fills the missing part
# of a truncated JPEG or PNG. This cache holds a row of blocks of an image 80,000 pixels wide.
GDAL_OPTIONS = {
    "GDAL_CACHEMAX": 128 << 20,
    "GDAL_ERROR_ON_LIBJPEG_WARNING": True,
    "GDAL_PNG_WHOLE_IMAGE_OPTIM": False,
    # Otherwise a VRT whose picture is missing would be read as black.
    "VRT_DETECT_MISSING_FILES": True,
}
# A file is opened only by the drivers of its suffix, so that it cannot be something else, such
# as a description in XML that leads to other files or to the internet.
_DRIVERS = {
    ".tif": "GTiff",
    ".tiff": "GTiff",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".jp2": "JP2OpenJPEG",
    ".vrt": "VRT",
    # GDAL's description of a web map service or of its tiles.
    ".xml": "WMS",
}
_LEADING = (".vrt", ".xml")
# Red, green and blue by the number of bands, where a file does not say: one band is shown as grey,
# eight are WorldView's (coastal, blue, green, yellow, red, red edge, two of near infrared).
BANDS = {1: (1, 1, 1), 2: (1, 1, 1), 3: (1, 2, 3), 4: (1, 2, 3), 8: (5, 3, 2)}
_INTEGERS = ("uint8", "uint16", "int16")
_BYTES_READ = 4  # for a pixel of a band while it is read


@dataclass(frozen=True)
class Raster:
    """Bands of a raster.

    Attributes:
        bands: (n, H, W) uint8 or uint16, red, green and blue first.
        valid: (H, W) where there are data; None: everywhere.
        grid: where it lies; None if the file does not say.
    """

    bands: NDArray[Any]
    valid: NDArray[np.bool_] | None
    grid: Georeference | None


def load_rasterio() -> ModuleType:
    """The package rasterio.

    Raises:
        RoadexError: it is not installed.
    """
    try:
        import rasterio
        import rasterio.errors
    except ImportError as error:
        raise RoadexError(f"GeoTIFF needs rasterio: {install_line('geo')}") from error
    # It also logs what it raises; a bad file is to be reported in one line only.
    logging.getLogger("rasterio").setLevel(logging.CRITICAL)
    result: ModuleType = rasterio
    return result


@contextmanager
def readable(path: Source) -> Iterator[None]:
    """Report failures of reading a raster in one line.

    Raises:
        RoadexError: the file is damaged.
    """
    rasterio = load_rasterio()
    try:
        with rasterio.Env(**options_for(path)), warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            yield
    except (rasterio.errors.RasterioError, rasterio.errors.RasterioIOError, ValueError) as error:
        # Rasterio says "read failed"; the library below it says why.
        reason = next(iter(str(error.__cause__ or error).splitlines()), repr(error))
        if isinstance(path, Remote) or path.suffix.lower() == ".xml":
            raise RoadexError(
                f"{path}: cannot be read ({without_secrets(reason, True)}); check the address, the "
                "access and the connection"
            ) from None
        raise RoadexError(
            f"{path}: not a readable {_kind(path)}, or cut short ({without_secrets(reason)}); "
            "replace or remove it"
        ) from error


def options_for(path: Source) -> dict[str, Any]:
    """The options of GDAL for reading a raster."""
    if isinstance(path, Remote):
        return {**GDAL_OPTIONS, **REMOTE_OPTIONS}
    return {**GDAL_OPTIONS, **HTTP_OPTIONS} if path.suffix.lower() in _LEADING else GDAL_OPTIONS


def _kind(path: Source) -> str:
    return "raster" if path.suffix.lower() in (".tif", ".tiff", ".vrt") else "image"


@contextmanager
def open_raster(path: Source) -> Iterator[Any]:
    """An open rasterio dataset.

    Raises:
        RoadexError: the extra `geo` is missing, or there is no such file, or none of its kind.
    """
    rasterio = load_rasterio()
    if isinstance(path, Path) and (not path.is_file() or not path.stat().st_size):
        state = "an empty file" if path.is_file() else "no such file"
        if _kind(path) == "raster":
            state = f"not a readable raster ({state})"
        raise RoadexError(f"{path}: {state}; fetch it again or leave it out")
    with readable(path):
        where = path.gdal if isinstance(path, Remote) else path
        file = rasterio.open(where, driver=_DRIVERS.get(path.suffix.lower()))
    with file:
        yield file


@contextmanager
def with_named_bands(file: Any, numbers: tuple[int, ...]) -> Iterator[Any]:
    """An open raster in which every band of some numbers is data, even if it is called alpha.

    GDAL calls the fourth band of 8 bits alpha, unless told otherwise: infrared often is.
    """
    names = [file.colorinterp[number - 1].name for number in numbers]
    if "alpha" not in names:
        yield file
        return
    rasterio = load_rasterio()
    from rasterio.shutil import copy

    with rasterio.MemoryFile(ext=".vrt") as described:
        copy(file, described.name, driver="VRT")
        text = described.read().replace(b"<ColorInterp>Alpha<", b"<ColorInterp>Undefined<")
    with rasterio.MemoryFile(text, ext=".vrt") as described, described.open(driver="VRT") as plain:
        yield plain


def check_complete(path: Source, file: Any) -> None:
    """Check that a TIFF of this machine is as long as its table of contents says.

    Its pixels are not read: a truncated file is noticed before any of it is used.

    Raises:
        RoadexError: it is cut short.
    """
    if not isinstance(path, Path) or file.driver != "GTiff":
        return
    size = path.stat().st_size
    bands = (1,) if file.profile.get("interleave") == "pixel" else file.indexes
    if any(end > size for band in bands for end in _block_ends(file, band)):
        raise RoadexError(
            f"{path}: not a readable raster, or cut short (its pixels are incomplete); replace or "
            "remove it"
        )


def _block_ends(file: Any, band: int) -> Iterator[int]:
    """Where in its file each block of a band of a TIFF ends."""
    high, wide = file.block_shapes[band - 1]
    for row, column in product(range(-(-file.height // high)), range(-(-file.width // wide))):
        place = (
            file.get_tag_item(f"BLOCK_{what}_{column}_{row}", "TIFF", bidx=band)
            for what in ("OFFSET", "SIZE")
        )
        yield sum(int(value or 0) for value in place)


def read_raster(path: Path, bands: list[int] | None = None, located: bool = True) -> Raster:
    """Red, green and blue of a raster, or `bands`, counted from 1.

    Args:
        located: whether it needs a georeference.

    Raises:
        RoadexError: the extra `geo` is missing; the file is damaged, has no coordinate system, is
            turned against north, or holds neither 8- nor 16-bit integers.
    """
    with open_raster(path) as file, readable(path):
        count = 3 if bands is None else len(bands)
        require_memory(path, file.height * file.width * count * _BYTES_READ)
        grid = grid_of(path, file)
        if grid is None and located:
            raise RoadexError(f"{path}: no coordinate system; assign one, or use masks as labels")
        numbers = colour_bands(path, file, bands)
        kinds = {file.dtypes[number - 1] for number in numbers}
        if not kinds <= set(_INTEGERS):
            found = " and ".join(sorted(kinds))
            raise RoadexError(f"{path}: {found} values; convert it to 8- or 16-bit integers")
        with with_named_bands(file, numbers) as named:
            pixels = read_bands(named, numbers)
            valid = validity(named, numbers, pixels)
        return Raster(pixels, None if valid is None or valid.all() else valid, grid)


def recorded_pixel(path: Path) -> tuple[float, float] | None:
    """Width and height in metres of a picture's or raster's pixels, from its files.

    None if unknown, or if only a raster has it and rasterio is not installed.

    Raises:
        RoadexError: it is damaged, or its place cannot be used.
    """
    if _kind(path) != "raster":
        return world_file_pixel(path)
    try:
        with open_raster(path) as file, readable(path):
            return pixel_metres(file, grid_of(path, file))
    except RoadexError as error:
        if "needs rasterio" in str(error):
            return None
        raise


def pixel_metres(file: Any, grid: Georeference | None) -> tuple[float, float] | None:
    """Width and height in metres of the pixels of an open raster; None if unknown.

    Args:
        grid: its `grid_of`.
    """
    if grid is not None:
        return grid.pixel_metres()
    place = file.transform
    if place.is_identity:
        return None
    step = math.hypot(place.a, place.d), math.hypot(place.b, place.e)
    local = _local_system(file)
    if local is not None:
        return step[0] * local_unit_m(local), step[1] * local_unit_m(local)
    return None if file.crs is not None else pixel_of_step(*step)


def _local_system(file: Any) -> CRS | None:
    """The system of an open raster, where it is an engineer's own; else None."""
    system = None if file.crs is None else parse_crs(file.crs.to_wkt())
    return system if system is not None and is_local(system) else None


def read_bands(file: Any, numbers: tuple[int, ...], **how: Any) -> NDArray[Any]:
    """Bands (n, h, w) of an open raster, each read once; signed 16 bits become unsigned ones."""
    order = sorted(set(numbers))
    read = file.read(order, **how)
    bands: NDArray[Any] = read[[order.index(number) for number in numbers]]
    return bands.clip(0).astype(np.uint16) if bands.dtype == np.int16 else bands


def may_lack_data(file: Any, numbers: tuple[int, ...]) -> bool:
    """Whether `validity` can be anything but None."""
    flags = {flag.name for number in numbers for flag in file.mask_flag_enums[number - 1]}
    has_alpha = any(colour.name == "alpha" for colour in file.colorinterp)
    return flags != {"all_valid"} or has_alpha or file.dtypes[numbers[0] - 1] != "uint8"


def validity(
    file: Any, numbers: tuple[int, ...], bands: NDArray[Any], **how: Any
) -> NDArray[np.bool_] | None:
    """Where (h, w) an open raster has data in some of its colour bands; None: everywhere.

    A pixel has none where an alpha band (whichever it is) or an internal mask says so, where all
    colours are the declared value, where a float is no number, and where nothing is declared and
    more than 8 bits are 0 in all colours.

    Args:
        bands: (n, h, w), already read with the same `how`.
    """
    if not may_lack_data(file, numbers):
        return None
    masks = file.read_masks(sorted(set(numbers)), **how)
    valid: NDArray[np.bool_] = (masks > 0).any(axis=0)
    for number, mask in zip(sorted(set(numbers)), masks, strict=True):
        if "per_dataset" in {flag.name for flag in file.mask_flag_enums[number - 1]}:
            valid &= mask > 0
    for number, colour in enumerate(file.colorinterp, start=1):
        if colour.name == "alpha":
            valid &= file.read(number, **how) > 0
    if bands.dtype.kind == "f":
        valid &= np.isfinite(bands).all(axis=0)
    elif bands.dtype != np.uint8 and file.nodata is None:
        valid &= (bands != 0).any(axis=0)
    return valid


def grid_of(path: Source, file: Any) -> Georeference | None:
    """Where an open raster lies; None where it has no coordinate system, or no place in one.

    Raises:
        RoadexError: it is turned against north, has control points only, or does not fit its
            coordinate system.
    """
    place, local = file.transform, _local_system(file)
    if place.is_identity and file.gcps[0]:
        system = "" if file.gcps[1] else "-s_srs EPSG:... "
        raise RoadexError(
            f"{path}: it has ground control points only; warp it first: "
            f"gdalwarp {system}{path.name} north_up.tif"
        )
    nowhere = _is_pixels(place, file.height) and local is None
    if file.crs is None or place.is_identity or nowhere:
        return None
    if local is not None and not is_metric(local):
        return None  # its pixels tell their size, see `pixel_metres`
    if max(abs(place.b), abs(place.d)) > 1e-6 * min(abs(place.a), abs(place.e)):
        raise RoadexError(f"{path}: its rows do not run east; warp it to a north-up grid first")
    crs = f"EPSG:{file.crs.to_epsg()}" if file.crs.to_epsg() else file.crs.to_wkt()
    grid = Georeference(crs, (place.c, place.f), (place.a, place.e), (file.height, file.width))
    grid.check(str(path))
    return grid


def _is_pixels(place: Any, height: int) -> bool:
    """Whether a geotransform only counts pixels, with y upwards from the bottom or from 0."""
    unit = abs(place.a) == abs(place.e) == 1 and not place.b and not place.d
    return unit and place.c == 0 and place.f in (0, height)


def colour_bands(
    path: Source, file: Any, wanted: list[int] | None, key: str = "dataset.bands"
) -> tuple[int, ...]:
    """The numbers of the bands of an open raster that a model sees, red, green and blue first.

    Args:
        wanted: the numbers that the setting `key` gives; None: red, green and blue, by the bands'
            names or their count.

    Raises:
        RoadexError: there are no such bands, nothing says which they are, or the colours are those
            of a table or for print.
    """
    names = [colour.name for colour in file.colorinterp]
    source = file.tags(ns="IMAGE_STRUCTURE").get("SOURCE_COLOR_SPACE", "RGB")
    if "cyan" in names or source in ("CMYK", "YCCK"):
        raise RoadexError(f"{path}: colours for print (CMYK); save it as RGB")
    if "palette" in names:
        raise RoadexError(f"{path}: a colour table; save it as RGB")
    if wanted is not None:
        if len(wanted) < 3 or not all(1 <= band <= file.count for band in wanted):
            has = f"{file.count} band" + ("s" if file.count > 1 else "")
            raise RoadexError(
                f"{path}: {key}={wanted}: it has {has}; name three or more that it has, or give a "
                "file that has these"
            )
        return tuple(wanted)
    if {"red", "green", "blue"} <= set(names):
        return tuple(names.index(colour) + 1 for colour in ("red", "green", "blue"))
    if file.count not in BANDS:
        raise RoadexError(
            f"{path}: {file.count} bands; say which are red, green and blue: {key}=[R,G,B]"
        )
    return BANDS[file.count]


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
    # Through memory: on a full disk the TIFF library would print lines of its own.
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", height=rows, width=columns, **options) as file:
            file.write(np.moveaxis(pixels, -1, 0))
        with atomic_write(path) as temporary:
            temporary.write_bytes(memory.getbuffer())
