"""Images of any size, read a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.geo.grid import Georeference
from roadex.rasters.pictures import read_image
from roadex.rasters.rasters import (
    colour_bands,
    grid_of,
    load_rasterio,
    may_lack_data,
    open_raster,
    pixel_metres,
    read_bands,
    readable,
    validity,
    with_named_bands,
)
from roadex.rasters.remote import Source

_INTEGERS = ("uint8", "uint16", "int16")
_FLOATS = ("float32", "float64")
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")  # read without rasterio, too


@dataclass(frozen=True)
class Piece:
    """Pixels of a scene.

    Attributes:
        bands: (n, h, w), red, green and blue first.
        valid: (h, w) where there are data; None: everywhere.
    """

    bands: NDArray[Any]
    valid: NDArray[np.bool_] | None


class Scene(Protocol):
    """An image whose pixels are read on demand."""

    @property
    def name(self) -> str:
        """What its files are called."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @property
    def count(self) -> int:
        """How many bands are read."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its bands: uint8, uint16, or a float."""

    @property
    def grid(self) -> Georeference | None:
        """Where it lies; None without a coordinate system."""

    @property
    def pixel_m(self) -> tuple[float, float] | None:
        """Width and height of its pixels in metres; None if unknown."""

    @property
    def masked(self) -> bool:
        """Whether some pixels may not be valid."""

    def read(self, rows: slice, columns: slice | None = None) -> Piece:
        """Some rows, in full width or of some columns.

        Raises:
            RoadexError: the file is damaged there.
        """

    def reduced(self, shape: tuple[int, int]) -> Piece:
        """The whole scene at a smaller shape (rows, columns), averaged."""


@dataclass(frozen=True)
class ArrayScene:
    """An image that is in memory: (H, W, n) of 8 or 16 bits."""

    pixels: NDArray[Any]
    name: str = "array"
    grid: Georeference | None = None
    pixel_m: tuple[float, float] | None = None
    masked: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def count(self) -> int:
        """How many bands it has."""
        return int(self.pixels.shape[2])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the pixels."""
        return self.pixels.dtype

    def read(self, rows: slice, columns: slice | None = None) -> Piece:
        """See `Scene.read`."""
        return Piece(np.moveaxis(self.pixels[rows, columns or slice(None)], -1, 0), None)

    def reduced(self, shape: tuple[int, int]) -> Piece:
        """See `Scene.reduced`."""
        bands = [
            np.asarray(cv2.resize(band, shape[::-1], interpolation=cv2.INTER_AREA))
            for band in cv2.split(self.pixels)
        ]
        return Piece(np.stack(bands), None)


def array_scene(pixels: NDArray[Any], name: str = "array", bands: int = 3) -> ArrayScene:
    """A scene from (H, W, bands) or, for three bands, grey (H, W), uint8 or uint16.

    Raises:
        RoadexError: another shape or type.
    """
    if pixels.ndim == 2 and bands == 3:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    if pixels.ndim != 3 or pixels.shape[2] != bands or not pixels.size:
        what = "RGB" if bands == 3 else "the bands of the training, in its order"
        raise RoadexError(
            f"an array of shape {pixels.shape}: give (rows, columns, {bands}), {what}"
        )
    if pixels.dtype not in (np.uint8, np.uint16):
        raise RoadexError(f"an array of {pixels.dtype}: give uint8 or uint16")
    return ArrayScene(pixels, name)


@dataclass(frozen=True)
class FileScene:
    """A raster file, opened by `open_scene`.

    Attributes:
        file: the open rasterio dataset.
        numbers: of its bands that are read, red, green and blue first.
    """

    path: Source
    file: Any
    numbers: tuple[int, ...]
    grid: Georeference | None
    pixel_m: tuple[float, float] | None
    masked: bool

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.file.height, self.file.width

    @property
    def count(self) -> int:
        """How many bands are read."""
        return len(self.numbers)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the bands, signed integers as unsigned ones."""
        found = np.dtype(self.file.dtypes[self.numbers[0] - 1])
        return np.dtype(np.uint16) if found == np.int16 else found

    def read(self, rows: slice, columns: slice | None = None) -> Piece:
        """See `Scene.read`."""
        left, right = (columns.start, columns.stop) if columns else (0, self.file.width)
        window = load_rasterio().windows.Window(
            left, rows.start, right - left, rows.stop - rows.start
        )
        return self._read(window=window)

    def reduced(self, shape: tuple[int, int]) -> Piece:
        """See `Scene.reduced`."""
        average = load_rasterio().enums.Resampling.average
        return self._read(out_shape=shape, resampling=average)

    def _read(self, **how: Any) -> Piece:
        with readable(self.path):
            bands = read_bands(self.file, self.numbers, **how)
            return Piece(bands, validity(self.file, self.numbers, bands, **how))


@contextmanager
def open_scene(path: Source, bands: list[int] | None = None) -> Iterator[Scene]:
    """Open a GeoTIFF, PNG, JPEG or other raster.

    Args:
        bands: numbers of the bands, from 1, red, green and blue first; None: these three, by name
            or by the count of bands.

    Raises:
        RoadexError: not a readable raster of colours in 8 to 16 bits or floats, or turned against
            north.
    """
    is_picture = path.suffix.lower() in _PICTURES
    if isinstance(path, Path) and is_picture and find_spec("rasterio") is None:
        if bands is not None and bands != [1, 2, 3]:
            raise RoadexError(f"{path}: bands={bands} needs rasterio: {install_line('geo')}")
        yield array_scene(read_image(path), path.stem)
        return
    with open_raster(path) as file:
        numbers = scene_bands(path, file, bands)
        grid = grid_of(path, file)
        pixel_m = pixel_metres(file, grid)
        with with_named_bands(file, numbers) as named:
            yield FileScene(path, named, numbers, grid, pixel_m, may_lack_data(named, numbers))


def scene_bands(path: Source, file: Any, wanted: list[int] | None) -> tuple[int, ...]:
    """The numbers of the bands of an open raster that are read.

    Raises:
        RoadexError: it lacks one of them, or is not of 8 or 16 bits or floats.
    """
    numbers = colour_bands(path, file, wanted, "bands")
    kinds = {file.dtypes[number - 1] for number in numbers}
    if len(kinds) > 1 or not kinds <= {*_INTEGERS, *_FLOATS}:
        found = " and ".join(sorted(kinds))
        raise RoadexError(f"{path}: {found} values; convert it to 8- or 16-bit integers")
    return numbers
