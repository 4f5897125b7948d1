"""Road networks from and to files; the suffix of the file says which format it is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import networkx as nx

from roadex.config.graph import GraphSettings
from roadex.errors import RoadexError
from roadex.graph.formats.geojson import read_geojson, write_geojson
from roadex.graph.formats.geopackage import (
    read_geopackage,
    write_geopackage,
    write_geopackage_of_table,
)
from roadex.graph.formats.graphml import read_graphml, write_graphml
from roadex.graph.formats.masks import network_of_mask
from roadex.graph.formats.options import (
    COSMIQ_READER,
    HAVERSINE_MM,
    PLANAR,
    ReadOptions,
    mask_rules,
)
from roadex.graph.formats.osm_files import read_osm
from roadex.graph.formats.pickles import read_pickle, write_pickle
from roadex.graph.formats.pixel_graphs import read_roadtracer, write_roadtracer
from roadex.graph.formats.settled import check_extent, settled
from roadex.graph.formats.simple_json import read_any_json, write_simple_json
from roadex.graph.formats.tables import (
    ZIPPED,
    read_parquet,
    read_table,
    read_zipped_shapefile,
    write_flatgeobuf,
    write_parquet,
    write_shapefile,
)
from roadex.graph.formats.wkt_csv import read_wkt_csv, write_wkt_csv
from roadex.graph.frame import Gsd
from roadex.graph.road_table import RoadTable

__all__ = [
    "COSMIQ_READER",
    "HAVERSINE_MM",
    "PLANAR",
    "READ_SUFFIXES",
    "TABLE_SUFFIXES",
    "WRITE_SUFFIXES",
    "ReadOptions",
    "read_network",
    "read_networks",
    "write_network",
    "write_table",
]

_READERS: dict[str, Callable[[Path, ReadOptions], nx.MultiGraph]] = {
    ".geojson": read_geojson,
    ".json": read_any_json,
    ".gpkg": read_geopackage,
    ".parquet": read_parquet,
    ".fgb": read_table,
    ".shp": read_table,
    ZIPPED: read_zipped_shapefile,
    ".graphml": read_graphml,
    **dict.fromkeys((".osm", ".pbf"), read_osm),
    ".graph": read_roadtracer,
    ".txt": read_roadtracer,
    **dict.fromkeys((".p", ".pkl", ".pickle"), read_pickle),
    **dict.fromkeys((".png", ".tif", ".tiff"), network_of_mask),
}
_WRITERS: dict[str, Callable[[nx.MultiGraph, Path, Gsd], None]] = {
    ".geojson": lambda graph, path, gsd: write_geojson(graph, path),
    ".json": lambda graph, path, gsd: write_simple_json(graph, path),
    ".gpkg": lambda graph, path, gsd: write_geopackage(graph, path),
    ".parquet": lambda graph, path, gsd: write_parquet(graph, path),
    ".fgb": lambda graph, path, gsd: write_flatgeobuf(graph, path),
    **dict.fromkeys((".shp", ZIPPED), lambda graph, path, gsd: write_shapefile(graph, path)),
    ".graphml": lambda graph, path, gsd: write_graphml(graph, path),
    ".csv": lambda graph, path, gsd: write_wkt_csv({path.stem: graph}, path, gsd),
    **dict.fromkeys((".graph", ".txt"), write_roadtracer),
    **dict.fromkeys((".p", ".pkl", ".pickle"), write_pickle),
}
_TABLE_WRITERS: dict[str, Callable[[RoadTable, Path], None]] = {
    ".gpkg": write_geopackage_of_table,
    ".parquet": write_parquet,
    ".fgb": write_flatgeobuf,
    ZIPPED: write_shapefile,
}
TABLE_SUFFIXES = tuple(_TABLE_WRITERS)
READ_SUFFIXES = (*_READERS, ".csv")
WRITE_SUFFIXES = tuple(_WRITERS)


def read_network(
    path: str | Path,
    gsd: Gsd | None = None,
    *,
    crs: str | None = None,
    edge_length: str = PLANAR,
    min_component_m: float = 0.0,
    doubled_vanish: bool = False,
    keep_apart: tuple[str, ...] = (),
    timed: bool = False,
    one_way: bool = True,
    road_above: float | None = None,
    road_values: Collection[int] | None = None,
    settings: GraphSettings | None = None,
) -> nx.MultiGraph:
    """A road network from a file, in metres.

    Args:
        path: GeoJSON, simple JSON, GeoPackage, GeoParquet, FlatGeobuf, Shapefile (.shp,
            .shp.zip), OpenStreetMap (.osm, .osm.pbf), GraphML, SpaceNet CSV of one image,
            RoadTracer text, City-Scale pickle, or a mask.
        gsd: metres per pixel, for formats whose coordinates are pixels; None: from the file.
        crs: the projected CRS for coordinates in degrees; None: the UTM zone of their mean.
        edge_length: "planar", or "haversine_mm" as the reference APLS program measures degrees.
        min_component_m: leave out components of lines in degrees with no shortest path as long.
        doubled_vanish: lose self-loops and lines in degrees drawn twice, as that program does;
            `**COSMIQ_READER` sets these three.
        keep_apart: attributes at whose change a road of bare lines ends, such as `TAGS` of
            roadex.graph.attributes; else roads run from junction to junction.
        timed: give pieces of bare lines the time that they take before they are joined to roads,
            which then have the sum as `travel_time_s`.
        one_way: keep the direction of one-way streets, at whose change roads of bare lines end.
        road_above: values of a mask above this are road; None: as they say themselves.
        road_values: these values of a mask are road, and nothing else.
        settings: the way from a mask to a graph.

    Returns:
        The network; `graph.graph["dropped"]` counts, by reason, what could not be a road.

    Raises:
        RoadexError: the file cannot be read or its suffix is not known.
    """
    if edge_length not in (PLANAR, HAVERSINE_MM):
        raise RoadexError(f"edge_length={edge_length}: choose {PLANAR} or {HAVERSINE_MM}")
    decoding, masks = settings or GraphSettings(), mask_rules(road_above, road_values)
    options = ReadOptions(
        gsd,
        crs,
        edge_length,
        min_component_m,
        doubled_vanish,
        keep_apart,
        timed,
        one_way,
        masks,
        decoding,
    )
    networks = read_networks(path, options)
    if len(networks) != 1:
        raise RoadexError(f"{path} holds {len(networks)} images: give a file of one")
    (network,) = networks.values()
    return network


def read_networks(path: str | Path, options: ReadOptions | None = None) -> dict[str, nx.MultiGraph]:
    """The networks of a file by image id (SpaceNet CSV), or its only one by the file's stem.

    Raises:
        RoadexError: the file cannot be read or its suffix is not known.
    """
    source, options = Path(path), options or ReadOptions()
    try:
        networks = _networks_of(source, options)
    except (OverflowError, RecursionError) as error:  # infinity as a number, lists in lists
        raise RoadexError(f"{path}: damaged, or no road network ({error})") from error
    except RoadexError as error:  # of a part, such as a coordinate system, that knows no file
        if source.name in str(error):
            raise
        raise RoadexError(f"{path}: {error}") from error
    for network in networks.values():
        check_extent(network, source)
    return networks


def _networks_of(path: Path, options: ReadOptions) -> dict[str, nx.MultiGraph]:
    suffix = _suffix(path)
    if suffix == ".csv":
        return read_wkt_csv(path, options)
    if suffix in _READERS:
        graph = _READERS[suffix](path, options)
        return {path.name[: -len(suffix)]: settled(graph, path, options.crs)}
    raise RoadexError(f"{path}: networks can be read from {', '.join(READ_SUFFIXES)}")


def write_table(table: RoadTable, path: Path) -> None:
    """Write a large network in one of the formats of `TABLE_SUFFIXES`.

    Raises:
        RoadexError: the file cannot be written.
    """
    _TABLE_WRITERS[_suffix(path)](table, path)


def _suffix(path: Path) -> str:
    """The end of a file's name that tells its format, in small letters."""
    return ZIPPED if path.name.lower().endswith(ZIPPED) else path.suffix.lower()


def write_network(graph: nx.MultiGraph, path: str | Path, gsd: Gsd = 1.0) -> None:
    """Write a network in the format of the suffix; `gsd` (metres per pixel) is for pixel formats.

    Raises:
        RoadexError: the suffix is not known, or the file cannot be written.
    """
    target = Path(path)
    writer = _WRITERS.get(_suffix(target))
    if writer is None:
        raise RoadexError(f"{path}: networks can be written as {', '.join(WRITE_SUFFIXES)}")
    writer(graph, target, gsd)
