"""The probability of road as a tiled, compressed GeoTIFF on the image's grid."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.geo.grid import Georeference
from roadex.graph.probability_maps import STEPS
from roadex.prediction.resample import Resampling
from roadex.prediction.store import Store
from roadex.rasters.rasters import GDAL_OPTIONS, load_rasterio

NO_DATA = 255
_TILE = 512


def write_probability(
    path: Path, store: Store, shape: tuple[int, int], grid: Georeference | None
) -> None:
    """Write one band of uint8: (value + 0.5) / 256 is the probability of road, 255 is no data.

    Args:
        shape: rows and columns of the image; probabilities of another size are interpolated.
        grid: where the image lies.

    Raises:
        RoadexError: the file cannot be written.
    """
    rasterio = load_rasterio()
    options: dict[str, Any] = {"count": 1, "dtype": "uint8", "nodata": NO_DATA}
    options |= {"tiled": True, "blockxsize": _TILE, "blockysize": _TILE, "BIGTIFF": "IF_SAFER"}
    options |= {"compress": "deflate", "zlevel": 1}
    if grid is not None:
        place = rasterio.Affine(grid.step[0], 0, grid.corner[0], 0, grid.step[1], grid.corner[1])
        options |= {"crs": grid.crs, "transform": place}
    resampling = Resampling(store.shape, shape)
    with atomic_write(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        options |= {"driver": "GTiff", "height": shape[0], "width": shape[1]}
        with rasterio.Env(**GDAL_OPTIONS), rasterio.open(temporary, "w", **options) as file:
            file.scales, file.offsets = (1 / STEPS,), (0.5 / STEPS,)
            file.set_band_description(1, "probability of road")
            for top in range(0, shape[0], _TILE):
                rows = slice(top, min(top + _TILE, shape[0]))
                window = rasterio.windows.Window(0, top, shape[1], rows.stop - top)
                file.write(_levels(store, resampling, rows), 1, window=window)


def write_cog(path: Path, store: Store, shape: tuple[int, int], grid: Georeference | None) -> None:
    """`write_probability` as a cloud-optimised GeoTIFF, with overviews for every zoom.

    Raises:
        RoadexError: the file cannot be written.
    """
    rasterio = load_rasterio()
    from rasterio.shutil import copy

    plain = path.with_name(f".{path.stem}.plain.tif")
    try:
        write_probability(plain, store, shape, grid)
        with atomic_write(path) as temporary, rasterio.Env(**GDAL_OPTIONS):
            options = {"compress": "deflate", "level": 6, "blocksize": _TILE}
            copy(plain, temporary, driver="COG", overview_resampling="average", **options)
    except rasterio.errors.RasterioError as error:
        raise RoadexError(f"{path} cannot be written ({error}): choose another folder") from error
    finally:
        plain.unlink(missing_ok=True)


def _levels(store: Store, resampling: Resampling, rows: slice) -> NDArray[np.uint8]:
    """Some rows of the image's grid."""
    source = resampling.source_rows(rows)
    road, valid = store.road[source], store.valid
    known = None if valid is None else valid[source]
    if not resampling.is_identity:
        road = np.rint(resampling.apply(road[:, :, None], rows)[:, :, 0]).astype(np.uint8)
        if known is not None:
            known = resampling.apply(known[:, :, None], rows)[:, :, 0] >= 0.5
    levels = np.minimum(road, NO_DATA - 1)
    return levels if known is None else np.where(known, levels, NO_DATA).astype(np.uint8)
