"""Many georeferenced images as one: a scene on one grid, read from those that lie below."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.geo.grid import Georeference
from roadex.prediction.area import inside, read_area
from roadex.prediction.mosaic_grid import Image, Place, common_grid, cropped, placed
from roadex.prediction.scene import Piece, scene_bands
from roadex.prediction.slices import common, shifted
from roadex.rasters.rasters import (
    check_complete,
    grid_of,
    load_rasterio,
    open_raster,
    read_bands,
    readable,
    validity,
    with_named_bands,
)
from roadex.rasters.remote import Remote, Source

# The widest seam without data between images, in pixels, that is filled from beside it.
_SEAM = 2
# Over so many pixels an image gains its weight beside pixels that lack data.
_FEATHER = 32
_BLENDED_AT_ONCE = 1 << 21  # pixels, of which weights and sums take 32 bytes each


@dataclass(frozen=True)
class MosaicScene:
    """See `Scene`. Of images that overlap the first one that has data counts.

    Attributes:
        name: what its files are called.
        places: the images and where they lie on the grid, the most wanted first.
        area: the only part that is read, a shapely geometry in the grid's system; None: all.
        failures: images that turned out to be damaged, and why; they have no data.
        blended: of images that overlap each pixel is the mean, weighted by how far it lies from
            their edges.
    """

    name: str
    grid: Georeference
    places: Sequence[Place]
    dtype: np.dtype[Any]
    area: Any = None
    failures: dict[Source, str] = field(default_factory=dict)
    masked: bool = True
    blended: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.grid.shape

    @property
    def count(self) -> int:
        """How many bands are read of each image."""
        return len(self.places[0].numbers)

    @property
    def pixel_m(self) -> tuple[float, float]:
        """Width and height of its pixels in metres."""
        return self.grid.pixel_metres()

    def read(self, rows: slice, columns: slice | None = None) -> Piece:
        """See `Scene.read`; an image that cannot be read is noted and left out."""
        columns = columns or slice(0, self.shape[1])
        down, across = _wider(rows, self.shape[0]), _wider(columns, self.shape[1])
        compose = self._blended if self.blended else self._composed
        bands, valid = _without_seams(*compose(down, across))
        kept = shifted(rows, down.start), shifted(columns, across.start)
        bands, valid = bands[:, kept[0], kept[1]], valid[kept]
        if self.area is not None:
            valid = valid & inside(self.area, self.grid, rows, columns)
        bands[:, ~valid] = 0
        return Piece(bands, valid)

    def reduced(self, shape: tuple[int, int]) -> Piece:
        """See `Scene.reduced`; of images with overviews no more is read than that needs."""
        shrink = self.shape[0] / shape[0], self.shape[1] / shape[1]
        (dx, dy), corner = self.grid.step, self.grid.corner
        grid = Georeference(self.grid.crs, corner, (dx * shrink[1], dy * shrink[0]), shape)
        places = [
            replace(
                place,
                rows=_shrunk(place.rows, shrink[0], shape[0]),
                columns=_shrunk(place.columns, shrink[1], shape[1]),
                whole=(_scaled(place.whole[0], shrink[0]), _scaled(place.whole[1], shrink[1])),
                exact=place.exact and shape == self.shape,
            )
            for place in self.places
        ]
        return replace(self, grid=grid, places=places).read(slice(0, shape[0]))

    def _composed(self, rows: slice, columns: slice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        bands = np.zeros((self.count, *shape), self.dtype)
        valid = np.zeros(shape, bool)
        for place in self.places:
            part = common(rows, place.rows), common(columns, place.columns)
            if part[0] is None or part[1] is None or place.path in self.failures:
                continue
            there = shifted(part[0], rows.start), shifted(part[1], columns.start)
            missing = ~valid[there]
            if not missing.any():
                continue
            found = self._part(
                place, shifted(part[0], place.rows.start), shifted(part[1], place.columns.start)
            )
            if found is not None:
                new = missing if found.valid is None else missing & found.valid
                bands[:, there[0], there[1]][:, new] = found.bands[:, new]
                valid[there] |= new
        return bands, valid

    def _blended(self, rows: slice, columns: slice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """See `blended`; a few rows at a time, since sums take more memory than pixels."""
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        bands, valid = np.empty((self.count, *shape), self.dtype), np.empty(shape, bool)
        height = max(1, _BLENDED_AT_ONCE // shape[1])
        for top in range(rows.start, rows.stop, height):
            part = slice(top, min(top + height, rows.stop))
            here = shifted(part, rows.start)
            bands[:, here], valid[here] = self._mean(part, columns)
        return bands, valid

    def _mean(self, rows: slice, columns: slice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        total = np.zeros((self.count, *shape), np.promote_types(self.dtype, np.float32))
        weights = np.zeros(shape, total.dtype)
        for place in self.places:
            part = common(rows, place.rows), common(columns, place.columns)
            if part[0] is None or part[1] is None or place.path in self.failures:
                continue
            found = self._weighted(place, part[0], part[1])
            if found is not None:
                there = shifted(part[0], rows.start), shifted(part[1], columns.start)
                total[:, there[0], there[1]] += found[0] * found[1]
                weights[there] += found[1]
        valid = weights > 0
        total /= np.where(valid, weights, 1)
        return (total if self.dtype.kind == "f" else np.rint(total)).astype(self.dtype), valid

    def _weighted(
        self, place: Place, rows: slice, columns: slice
    ) -> tuple[NDArray[Any], NDArray[np.float32]] | None:
        """Bands (n, h, w) of an image on a part of the grid, and their weights (h, w)."""
        seen = common(_wider(rows, place.rows.stop, _FEATHER), place.rows)
        beside = common(_wider(columns, place.columns.stop, _FEATHER), place.columns)
        assert seen is not None and beside is not None  # they hold what is wanted
        wide = shifted(seen, place.rows.start), shifted(beside, place.columns.start)
        found = self._part(place, *wide)
        if found is None:
            return None
        kept = shifted(rows, seen.start), shifted(columns, beside.start)
        down, across = _from_edges(rows, place.whole[0]), _from_edges(columns, place.whole[1])
        # Their product, not the less, so that one fades into the next beside a common edge, too.
        weight = down[:, None] * across
        bands = found.bands[:, kept[0], kept[1]]
        if found.valid is not None:
            weight *= _from_gaps(found.valid)[kept]
            bands = np.where(weight > 0, bands, 0)
        return bands, weight

    def _part(self, place: Place, rows: slice, columns: slice) -> Piece | None:
        """A part of an image, by its place on the grid; None where it is damaged."""
        try:
            with _on_grid(place, self.grid) as file:
                size = columns.stop - columns.start, rows.stop - rows.start
                window = load_rasterio().windows.Window(columns.start, rows.start, *size)
                bands = read_bands(file, place.numbers, window=window)
                return Piece(bands, validity(file, place.numbers, bands, window=window))
        except RoadexError as error:
            self.failures[place.path] = str(error)
            return None


def _shrunk(span: slice, shrink: float, side: int) -> slice:
    """A span of pixels in those of a smaller grid; never empty."""
    start = min(int(span.start / shrink), side - 1)
    return slice(start, max(start + 1, min(side, math.ceil(span.stop / shrink - 1e-9))))


def _scaled(span: slice, shrink: float) -> slice:
    """A span of pixels in those of a smaller grid, which it may reach beyond."""
    start = math.floor(span.start / shrink)
    return slice(start, max(start + 1, math.ceil(span.stop / shrink)))


def _wider(span: slice, side: int, by: int = _SEAM) -> slice:
    return slice(max(0, span.start - by), min(side, span.stop + by))


def _from_edges(part: slice, whole: slice) -> NDArray[np.float32]:
    """How far the middles of some pixels lie from the nearer end of a span."""
    middles = np.arange(part.start, part.stop) + 0.5
    nearer: NDArray[np.float64] = np.minimum(middles - whole.start, whole.stop - middles)
    return nearer.astype(np.float32)


def _from_gaps(valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """From 0 where there are no data to 1 where there are some all around."""
    apart = np.asarray(cv2.distanceTransform(valid.view(np.uint8), cv2.DIST_C, 3))
    return (np.minimum(apart, _FEATHER) / _FEATHER).astype(np.float32)


def mosaic_of(
    paths: Sequence[Source],
    name: str,
    bands: list[int] | None = None,
    overlap: str = "first",
    crs: str | None = None,
    aoi: str | None = None,
) -> MosaicScene:
    """The scene of many images. Those that cannot be part of it are among its failures.

    Args:
        overlap: which of overlapping images counts: the `first` or `last` by name, or the `newest`
            file; or all of them, `blended`.
        crs: the system of the grid; None: as `common_grid` chooses.
        aoi: a file of polygons; only images that touch them are read, and only there.

    Raises:
        RoadexError: no image is left, or none touches the polygons.
    """
    failures: dict[Source, str] = {}
    found: dict[Source, tuple[Image, str]] = {}
    for path in ordered(paths, overlap):
        try:
            found[path] = _look_at(path, bands)
        except RoadexError as error:
            failures[path] = str(error)
    if not found:
        first = next(iter(failures.values()))
        raise RoadexError(f"no image can be part of a mosaic; the first: {first}")
    kind, _ = Counter(kind for _, kind in found.values()).most_common(1)[0]
    for path in [path for path, (_, own) in found.items() if own != kind]:
        failures[path] = f"{path}: {found.pop(path)[1]} values, but most images have {kind}"
    images = [image for image, _ in found.values()]
    grid, area = common_grid(images, crs), None
    if aoi is not None:
        area = read_area(aoi, grid.crs)
        part = cropped(grid, area.bounds)
        if part is None:
            raise RoadexError(f"aoi={aoi}: no image lies there")
        grid = part
    dtype = np.dtype(np.uint16 if kind == "int16" else kind)
    places, blended = placed(images, grid), overlap == "blended"
    return MosaicScene(name, grid, places, dtype, area, failures, blended=blended)


def ordered(paths: Sequence[Source], overlap: str) -> list[Source]:
    """Images, the one that counts where they overlap first.

    The age of what lies behind an address is not known: it counts in the order in which it was
    named, STAC items beginning with the newest, and after all files.
    """
    by_name = sorted(paths, key=str)
    if overlap == "newest":
        files = [path for path in by_name if isinstance(path, Path)]
        newest = sorted(files, key=lambda path: -path.stat().st_mtime_ns)
        return [*newest, *(path for path in paths if isinstance(path, Remote))]
    return by_name[::-1] if overlap == "last" else by_name


def _look_at(path: Source, bands: list[int] | None) -> tuple[Image, str]:
    """An image's place and colours, and the type of its values."""
    with open_raster(path) as file:
        grid = grid_of(path, file)
        if grid is None:
            raise RoadexError(f"{path}: no coordinate system, so it has no place in a mosaic")
        numbers = scene_bands(path, file, bands)
        check_complete(path, file)
        return Image(path, numbers, grid), file.dtypes[numbers[0] - 1]


@contextmanager
def _on_grid(place: Place, grid: Georeference) -> Iterator[Any]:
    """An image as a raster on its part of a grid; resampled where its own pixels are not those."""
    rasterio = load_rasterio()
    with (
        open_raster(place.path) as opened,
        readable(place.path),
        with_named_bands(opened, place.numbers) as file,
    ):
        if place.exact:
            yield file
            return
        from rasterio.vrt import WarpedVRT

        (dx, dy), (x, y) = grid.step, grid.corner
        corner = x + place.columns.start * dx, y + place.rows.start * dy
        has_alpha = any(colour.name == "alpha" for colour in file.colorinterp)
        with WarpedVRT(
            file,
            crs=grid.crs,
            transform=rasterio.Affine(dx, 0, corner[0], 0, dy, corner[1]),
            width=place.columns.stop - place.columns.start,
            height=place.rows.stop - place.rows.start,
            resampling=rasterio.enums.Resampling.bilinear,
            add_alpha=not has_alpha,
        ) as warped:
            yield warped


def _without_seams(
    bands: NDArray[Any], valid: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Narrow gaps between images filled with the mean of the pixels around them."""
    kernel = np.ones((_SEAM + 1, _SEAM + 1), np.uint8)
    padded = cv2.copyMakeBorder(valid.view(np.uint8), 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel)[3:-3, 3:-3]
    seams = np.greater(closed, 0) & ~valid
    if not seams.any():
        return bands, valid
    around = 2 * _SEAM + 1, 2 * _SEAM + 1
    known = valid.astype(np.float32)
    weight = cv2.boxFilter(known, -1, around, normalize=False)[seams]
    for band in bands:
        total = cv2.boxFilter(band.astype(np.float32) * known, -1, around, normalize=False)[seams]
        band[seams] = total / np.maximum(weight, 1)
    return bands, valid | seams
