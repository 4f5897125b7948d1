"""The command `python -m roadex.compare`."""

from __future__ import annotations

import logging
from pathlib import Path

import networkx as nx
from shapely import Geometry

from roadex.changes.engine import Comparison, Rules, compare
from roadex.changes.files import PAGE, write_comparison
from roadex.changes.inputs import common_area, polygons_of, read_pair
from roadex.changes.matching import Tolerances
from roadex.changes.probability import ProbabilityRaster
from roadex.changes.summary import notes_of, rows_of, table_text
from roadex.command.frame import command
from roadex.config.compare import CompareConfig
from roadex.errors import RoadexError
from roadex.files import user_path

log = logging.getLogger(__name__)


@command("compare")
def main(config: CompareConfig) -> None:
    """Compare a map with roads seen in imagery, or the roads of two dates, segment by segment.

    Every road of both sides becomes matched, changed (class, width), moved (by how many metres),
    missing (seen, not on the map) or unseen (on the map, not found). Writes a GeoPackage that QGIS
    draws in colours, GeoJSON, a .osm file of the missing roads for JOSM, a table and a page.
    map= and roads= take OpenStreetMap extracts and every file that roadex.score takes.

    Examples:
      python -m roadex.compare map=extract.osm.pbf roads=city.roads.gpkg out=DIR
      python -m roadex.compare map=2019.roads.gpkg roads=2026.roads.gpkg out=DIR
      python -m roadex.compare map=m.osm roads=r.gpkg probability=city.probability.tif out=DIR
    """
    result = compare_files(config)
    print(table_text(rows_of(result)))
    if result.shift is not None:
        log.info("as a whole the map has to be moved by (%.1f, %.1f) m", *result.shift)
    log.info("%s shows all of it", user_path(config.out) / PAGE)


def compare_files(config: CompareConfig) -> Comparison:
    """Compare two files and write what came out.

    Raises:
        RoadexError: an input cannot be used, or a file cannot be written.
    """
    if config.moved_m <= config.match_m:
        raise RoadexError(
            f"moved_m={config.moved_m:g}: must be more than match_m={config.match_m:g}"
        )
    rules = config.road_above, config.road_values
    networks = read_pair(config.map, config.roads, config.gsd, *rules)
    probability = _probability(config, networks[0].graph.get("crs"))
    result = compare(*networks, _area(config, networks, probability), _rules(config), probability)
    title = f"{Path(config.map).name} and {Path(config.roads).name}"
    out = user_path(config.out)
    for note in notes_of(result):
        log.warning("%s", note)
    write_comparison(result, user_path(config.map), out, title, config.match_m)
    return result


def _rules(config: CompareConfig) -> Rules:
    tolerances = Tolerances(config.match_m, config.moved_m, config.angle)
    return Rules(
        tolerances, config.min_segment_m, config.sample_m, config.width_share, config.threshold
    )


def _probability(config: CompareConfig, crs: str | None) -> ProbabilityRaster | None:
    if config.probability is None:
        return None
    if crs is None:
        raise RoadexError("probability= needs networks with a coordinate system: leave it out")
    path = user_path(config.probability)
    if not path.is_file():
        raise RoadexError(f"probability={path}: no such file")
    return ProbabilityRaster(path, crs)


def _area(
    config: CompareConfig,
    networks: tuple[nx.MultiGraph, nx.MultiGraph],
    probability: ProbabilityRaster | None,
) -> Geometry:
    """Where both sides are compared."""
    common = common_area(list(networks), config.moved_m)
    if config.area is not None:
        area = polygons_of(user_path(config.area), networks[0].graph.get("crs"))
    elif probability is not None:
        area = probability.outline()
    else:
        return common
    if not area.intersects(common):
        key = "area" if config.area is not None else "probability"
        raise RoadexError(f"{key}={getattr(config, key)} does not overlap map and roads")
    return area


if __name__ == "__main__":
    main()
