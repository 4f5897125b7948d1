"""All files of a comparison."""

from __future__ import annotations

import logging
from pathlib import Path

from roadex.changes.engine import Comparison
from roadex.changes.files import write_geojson, write_geopackage, write_summary
from roadex.changes.josm import write_josm
from roadex.changes.page import write_changes_page

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
        log.warning("%s is left out: it needs networks that say where they lie", JOSM)
    else:
        write_josm(result, source, folder / JOSM, join_m)
    write_summary(result, folder)
    write_changes_page(result, folder / PAGE, title)
