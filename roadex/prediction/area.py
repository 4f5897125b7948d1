"""An area of interest: polygons from a file, in any coordinate system."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.files import user_path
from roadex.geo.grid import Georeference


def read_area(path: str, crs: str) -> Any:
    """The polygons of a file as one shapely geometry in a coordinate system.

    Raises:
        RoadexError: the extra `geo` is missing, no such file, no polygon in it, or no system.
    """
    try:
        import geopandas
    except ImportError as error:
        raise RoadexError(f"aoi={path} needs geopandas: {install_line('geo')}") from error
    if not user_path(path).is_file():
        raise RoadexError(f"aoi={path}: no such file")
    try:
        table = geopandas.read_file(user_path(path))
    except Exception as error:  # GDAL's errors have no common base
        raise RoadexError(f"aoi={path}: not a readable file of polygons") from error
    table = table[table.geom_type.isin(("Polygon", "MultiPolygon"))]
    if table.empty:
        raise RoadexError(f"aoi={path}: no polygon in it")
    if table.crs is None:
        raise RoadexError(f"aoi={path}: no coordinate system; assign the one that it is in")
    return table.to_crs(crs).union_all()


def inside(area: Any, grid: Georeference, rows: slice, columns: slice) -> NDArray[np.bool_]:
    """Which pixels of some rows and columns have their centre in an area of the grid's system."""
    import rasterio.features

    (dx, dy), (x, y) = grid.step, grid.corner
    place = rasterio.Affine(dx, 0, x + columns.start * dx, 0, dy, y + rows.start * dy)
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    mask: NDArray[np.bool_] = rasterio.features.geometry_mask([area], shape, place, invert=True)
    return mask
