"""All files of a comparison: GeoPackage, GeoJSON, tables, JOSM and the page."""

from __future__ import annotations

import logging
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from roadex.changes.engine import CHANGED, MATCHED, MISSING, MOVED, UNSEEN, Comparison, Segment
from roadex.changes.josm import write_josm
from roadex.changes.page import write_changes_page
from roadex.changes.styles import style_of
from roadex.changes.summary import facts_of, rows_of
from roadex.files import atomic_write, write_json, write_table
from roadex.geo.crs import WGS84
from roadex.graph.attributes import road_attributes
from roadex.graph.formats.geopackage import load_geopandas
from roadex.graph.formats.qgis import add_styles

# A GIS draws the last layer on top.
LAYERS = (MATCHED, CHANGED, MOVED, UNSEEN, MISSING)


def write_geopackage(result: Comparison, path: Path) -> None:
    """Write a layer for each state, in the common system, with a style for QGIS.

    Raises:
        RoadexError: the extra `geo` is missing, or the file cannot be written.
    """
    with atomic_write(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        for state in LAYERS:
            table = table_of(result.of(state), result.crs)
            named = {"layer": state, "driver": "GPKG", "geometry_type": "LineString"}
            table.to_file(temporary, **named)
        add_styles(temporary, {state: style_of(state) for state in LAYERS})


def write_geojson(result: Comparison, path: Path) -> None:
    """Write every segment that is not matched, in degrees if the coordinate system is known.

    Raises:
        RoadexError: the extra `geo` is missing, or the file cannot be written.
    """
    table = table_of([p for state in LAYERS[1:] for p in result.of(state)], result.crs)
    table = table.to_crs(WGS84) if result.crs else table
    with atomic_write(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        table.to_file(temporary, driver="GeoJSON", engine="pyogrio")


def write_summary(result: Comparison, folder: Path) -> None:
    """Write summary.csv and summary.json.

    Raises:
        RoadexError: a file cannot be written.
    """
    rows = rows_of(result)
    write_table(folder / "summary.csv", rows)
    write_json(folder / "summary.json", {**facts_of(result), "rows": rows})


def table_of(segments: list[Segment], crs: str | None) -> Any:
    """Segments as a table of lines with the columns of docs/compare_maps.md."""
    rows = [_row(segment) for segment in segments]
    content: Any = rows or {name: np.zeros(0) for name in _COLUMNS}
    lines = [shapely.linestrings(segment.line) for segment in segments]
    return load_geopandas().GeoDataFrame(content, geometry=lines, crs=crs)


_COLUMNS = (
    "rank", "state", "side", "length_m", "confidence", "probability", "offset_m", "offset_x_m",
    "offset_y_m", "detour_m", "note", "highway", "lanes", "surface", "speed_kph", "width_m",
    "osm_id", "name",
)  # fmt: skip


def _row(segment: Segment) -> dict[str, Any]:
    known = road_attributes(segment.data)
    x, y = segment.offset or (None, None)
    return {
        "rank": segment.rank,
        "state": segment.state,
        "side": segment.side,
        "length_m": round(segment.length_m, 2),
        "confidence": round(segment.confidence, 3),
        "probability": _rounded(segment.probability, 3),
        "offset_m": None if x is None or y is None else round(math.hypot(x, y), 2),
        "offset_x_m": _rounded(x, 2),
        "offset_y_m": _rounded(y, 2),
        "detour_m": _rounded(segment.detour_m, 1),
        "note": segment.note,
        "highway": known.get("highway"),
        "lanes": known.get("lanes"),
        "surface": known.get("surface"),
        "speed_kph": round(known["speed_kph"], 1),
        "width_m": _rounded(segment.data.get("width_m"), 2),
        "osm_id": _text(segment.data.get("osm_id")),
        "name": _text(segment.data.get("name")),
    }


def _rounded(value: Any, digits: int) -> float:
    """NaN, which a table of numbers holds as nothing, where there is no number."""
    return round(float(value), digits) if isinstance(value, int | float) else math.nan


def _text(value: Any) -> str | None:
    return None if value is None or value != value else str(value)


log = logging.getLogger(__name__)
GEOPACKAGE, GEOJSON, JOSM, PAGE = (
    "compare.gpkg", "changes.geojson", "missing.osm", "index.html",
)  # fmt: skip


def write_comparison(
    result: Comparison, source: Path, folder: Path, title: str, join_m: float
) -> None:
    """Write every file into a folder, each whole or not at all.

    Args:
        source: the file of the map, whose nodes missing.osm shares.
        join_m: how far a missing road may end from the map that it is joined to.

    Raises:
        RoadexError: a file cannot be written.
    """
    write_geopackage(result, folder / GEOPACKAGE)
    write_geojson(result, folder / GEOJSON)
    if result.crs is None:
        log.warning("%s is left out: it needs networks with a coordinate system", JOSM)
    else:
        write_josm(result, source, folder / JOSM, join_m)
    write_summary(result, folder)
    write_changes_page(result, folder / PAGE, title)
