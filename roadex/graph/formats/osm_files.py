"""OpenStreetMap's files, `.osm` and `.osm.pbf`, and Overture's segments: ways on which cars drive.

OpenStreetMap's are read with GDAL's driver, which pyogrio brings (the extra `geo`); ways meet where
they share a node. The nested columns of Overture's segments become OpenStreetMap's tags.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import shapely

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.graph.attributes import NOT_ROADS
from roadex.graph.formats.geopackage import load_geopandas, network_of_table
from roadex.graph.formats.options import ReadOptions
from roadex.graph.skeleton import Bools

# The tags that are kept, besides `highway`, `name` and the way's id, `osm_id`.
TAGS = (
    "maxspeed", "lanes", "surface", "oneway", "bridge", "tunnel", "layer", "junction", "width",
    "ref", "service", "access",
)  # fmt: skip
_FEWEST_NODES = 2
# Ways of one direction unless they say otherwise, as motorways are.
_ONE_WAY_JUNCTIONS = ("roundabout", "circular")
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
    counts: Counter[str] = Counter()
    try:
        table = _lines(path)
        gaps = _gaps(path, counts) if _is_xml(path) else {}
    except (RuntimeError, OSError, ValueError, LookupError, SyntaxError) as error:
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise RoadexError(f"{path} is not a complete OpenStreetMap file ({reason})") from error
    driven = ~table["highway"].isin(NOT_ROADS)
    counts.update(f"way with highway={kind}" for kind in table["highway"][~driven])
    table = _without_shortcuts(table[driven], gaps, counts)
    graph = network_of_table(path, _with_tags(table), options)
    graph.graph["dropped"] = {**graph.graph.get("dropped", {}), **counts}
    return graph


def _is_xml(path: Path) -> bool:
    """Whether a file is no `.osm.pbf`, whatever its name."""
    with path.open("rb") as file:
        return b"OSMHeader" not in file.read(64)


def _gaps(path: Path, left_out: Counter[str]) -> dict[str, Bools]:
    """By id the ways for cars some of whose nodes an `.osm` file lacks: which of them it has.

    GDAL draws such a way straight on to the next node that it finds, and none with less than two:
    these are counted in `left_out`, and areas, which are no lines.
    """
    known, nodes, sizes = array("q"), array("q"), {}
    for _, element in ElementTree.iterparse(path):
        if element.tag == "node":
            known.append(int(element.attrib["id"]))
        elif element.tag == "way" and _is_road(element, left_out):
            refs = [int(node.attrib["ref"]) for node in element.iterfind("nd")]
            sizes[element.attrib["id"]] = len(refs)
            nodes.extend(refs)
        if element.tag in ("node", "way", "relation"):
            element.clear()
    there = np.isin(np.frombuffer(nodes, np.int64), np.frombuffer(known, np.int64))
    ends = np.cumsum(list(sizes.values()), dtype=np.int64)
    found = dict(zip(sizes, np.split(there, ends[:-1]), strict=True)) if sizes else {}
    short = sum(int(part.sum()) < _FEWEST_NODES for part in found.values())
    if short:
        left_out["way with fewer than two nodes in the file"] = short
    return {way: part for way, part in found.items() if not part.all()}


def _is_road(way: ElementTree.Element, left_out: Counter[str]) -> bool:
    """Whether a way is a line for cars; areas are counted."""
    tags = {tag.get("k"): tag.get("v") for tag in way.iterfind("tag")}
    kind = tags.get("highway")
    if kind is None or kind in NOT_ROADS:
        return False
    if tags.get("area") == "yes":
        left_out[f"area with highway={kind}"] += 1
    return tags.get("area") != "yes"


def _without_shortcuts(table: Any, gaps: dict[str, Bools], left_out: Counter[str]) -> Any:
    """The lines cut where nodes are missing, which is counted in `left_out`."""
    shapes = table.geometry.to_numpy().copy()
    for row in np.flatnonzero(table["osm_id"].isin(gaps)).tolist():
        present = gaps[table["osm_id"].iloc[row]]
        points = shapely.get_coordinates(shapes[row])
        cuts = np.flatnonzero(np.diff(np.flatnonzero(present)) > 1) + 1
        parts = np.split(points, cuts) if len(points) == present.sum() else []
        left_out["stretch of a way whose nodes the file lacks"] += _runs(~present)
        lines = [shapely.LineString(part) for part in parts if len(part) >= _FEWEST_NODES]
        shapes[row] = shapely.MultiLineString(lines)
    return table.set_geometry(shapes, crs=table.crs)


def _runs(flags: Bools) -> int:
    """How many runs of true there are."""
    return int(np.diff(flags, prepend=False, append=False).sum() / 2)


def _lines(path: Path) -> Any:
    """The ways with a `highway` tag; GDAL needs an option for files with unsorted nodes."""
    import pyogrio

    rules = Path(__file__).with_name("osm_lines.ini")
    wanted = {"layer": "lines", "where": "highway IS NOT NULL", "CONFIG_FILE": str(rules)}
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
    """A table of lines with a column for each tag that is kept, and the directions they imply."""
    tags = [tags_of(text) for text in table["other_tags"]]
    for found, highway in zip(tags, table["highway"], strict=True):
        if highway == "motorway" or found.get("junction") in _ONE_WAY_JUNCTIONS:
            found.setdefault("oneway", "yes")
    plain = table[["osm_id", "highway", "name", "geometry"]]
    return plain.assign(**{name: [found.get(name) for found in tags] for name in TAGS})


def tags_of(text: str | None) -> dict[str, str]:
    """The tags that GDAL joins in one column."""
    return {key: _ESCAPED.sub(r"\1", value) for key, value in _PAIR.findall(text or "")}


_ROAD = "road"
# Columns that identify Overture's segments.
_COLUMNS = ("subtype", "class", "connectors")


def is_overture(columns: Any) -> bool:
    """Whether a table has the columns of Overture's segments."""
    return set(_COLUMNS) <= set(columns)


def as_tags(table: Any) -> tuple[Any, Counter[str]]:
    """The roads of a table of segments with `highway` and other tags, and what was left out.

    Rules for a part of a segment are used if none holds for all of it, flags never.
    Ways without cars are left out, as in OpenStreetMap's own files.
    """
    roads = table[table["subtype"] == _ROAD]
    others = table["subtype"][table["subtype"] != _ROAD].fillna("unknown")
    left_out = Counter(f"segment of subtype {kind}" for kind in others)
    driven = ~roads["class"].isin(NOT_ROADS)
    left_out += Counter(f"way with highway={kind}" for kind in roads["class"][~driven])
    roads = roads[driven]
    tags = {
        "overture_id": _column(roads, "id"),
        "highway": [None if kind == "unknown" else kind for kind in roads["class"]],
        "name": [_part(names, "primary") for names in _column(roads, "names")],
        "surface": [_rule(rules) for rules in _column(roads, "road_surface")],
        "width": [_rule(rules) for rules in _column(roads, "width_rules")],
        "maxspeed": [_speed(rules) for rules in _column(roads, "speed_limits")],
        "tunnel": [_flag(rules, "is_tunnel") for rules in _column(roads, "road_flags")],
        "bridge": [_flag(rules, "is_bridge") for rules in _column(roads, "road_flags")],
        "oneway": [_one_way(rules) for rules in _column(roads, "access_restrictions")],
    }
    return roads[["geometry"]].assign(**tags), left_out


def _column(table: Any, name: str) -> list[Any]:
    return list(table[name]) if name in table else [None] * len(table)


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _rules(value: Any) -> list[dict[str, Any]]:
    """The rules of a segment, those that hold on all of it first; arrays and lists hold them."""
    if value is None or isinstance(value, float | str):
        return []
    rules = [rule for rule in value if isinstance(rule, dict)]
    return sorted(rules, key=lambda rule: rule.get("between") is not None)


def _rule(value: Any) -> Any:
    return next((rule.get("value") for rule in _rules(value)), None)


def _speed(value: Any) -> str | None:
    for rule in _rules(value):
        limit = rule.get("max_speed")
        if isinstance(limit, dict) and limit.get("value"):
            return f"{limit['value']} {limit.get('unit') or 'km/h'}"
    return None


def _one_way(value: Any) -> str | None:
    """The direction in which all traffic may take a whole segment, if it is one."""
    tags = {"backward": "yes", "forward": "-1"}
    for rule in _rules(value):
        when = {name: v for name, v in (rule.get("when") or {}).items() if v is not None}
        denied = rule.get("access_type") == "denied" and rule.get("between") is None
        if denied and set(when) == {"heading"} and when["heading"] in tags:
            return tags[when["heading"]]
    return None


def _flag(value: Any, name: str) -> str | None:
    whole = (rule for rule in _rules(value) if rule.get("between") is None)
    values = (rule.get("values") for rule in whole)
    return "yes" if any(name in held for held in values if held is not None) else None
