"""OpenStreetMap's own files, `.osm` and `.osm.pbf`: every way on which cars drive.

Read with GDAL's driver, which pyogrio brings (the extra `geo`). Ways meet where they share a node.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.graph.attributes import NOT_ROADS
from roadex.graph.formats.geopackage import load_geopandas, network_of_table
from roadex.graph.formats.options import ReadOptions

# The tags that are kept, besides `highway`, `name` and the way's id, `osm_id`.
TAGS = (
    "maxspeed", "lanes", "surface", "oneway", "bridge", "tunnel", "layer", "junction", "width",
    "ref", "service", "access",
)  # fmt: skip
_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


def read_osm(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from an OpenStreetMap file; ways that are no roads for cars are counted.

    Raises:
        RoadexError: the extra `geo` is missing, its GDAL cannot read OSM, the file is cut short or
            holds no such thing.
    """
    _require_driver(path)
    if not path.is_file():
        raise RoadexError(f"{path} cannot be read: check the path")
    try:
        table = _lines(path)
    except (RuntimeError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise RoadexError(f"{path} is not a complete OpenStreetMap file ({reason})") from error
    driven = ~table["highway"].isin(NOT_ROADS)
    left_out = Counter(table["highway"][~driven])
    graph = network_of_table(path, _with_tags(table[driven]), options)
    counts = {f"way with highway={kind}": count for kind, count in left_out.items()}
    graph.graph["dropped"] = {**graph.graph.get("dropped", {}), **counts}
    return graph


def _lines(path: Path) -> Any:
    """The ways with a `highway` tag; GDAL needs an option for files with unsorted nodes."""
    import pyogrio

    wanted = {"layer": "lines", "where": "highway IS NOT NULL"}
    try:
        return pyogrio.read_dataframe(path, **wanted)
    except RuntimeError as error:
        if "OSM_USE_CUSTOM_INDEXING" not in str(error):
            raise
    return pyogrio.read_dataframe(path, **wanted, USE_CUSTOM_INDEXING="NO")


def _require_driver(path: Path) -> None:
    load_geopandas()
    import pyogrio

    if "OSM" not in pyogrio.list_drivers():
        raise RoadexError(
            f"{path}: this GDAL has no driver for OpenStreetMap: {install_line('geo')}, or "
            "convert the file to GeoPackage with ogr2ogr"
        )


def _with_tags(table: Any) -> Any:
    """A table of lines with a column for each tag that is kept."""
    tags = [tags_of(text) for text in table["other_tags"]]
    plain = table[["osm_id", "highway", "name", "geometry"]]
    return plain.assign(**{name: [found.get(name) for found in tags] for name in TAGS})


def tags_of(text: str | None) -> dict[str, str]:
    """The tags that GDAL joins in one column."""
    return {key: _ESCAPED.sub(r"\1", value) for key, value in _PAIR.findall(text or "")}
