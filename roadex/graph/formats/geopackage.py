"""GeoPackage: a layer `roads` of lines in the network's own CRS, and a layer `nodes` of points.

Needs geopandas and pyogrio, the extra `geo`.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import networkx as nx
import numpy as np
import shapely

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.files import atomic_write
from roadex.geo.crs import short_name
from roadex.graph.formats.exact import (
    BOOKKEEPING,
    directed_ends,
    extras,
    own_network,
    read_name,
    road_extras,
    shape_of,
    without_bookkeeping,
    write_name,
)
from roadex.graph.formats.geojson import geographic_network
from roadex.graph.formats.lines import Line
from roadex.graph.formats.options import ReadOptions, plain
from roadex.graph.formats.qgis import add_styles, road_style
from roadex.graph.road_table import RoadTable

ROADS, NODES = "roads", "nodes"
_ROWS_AT_ONCE = 50_000
_ROAD_NAMES = ("roads", "road", "edges", "streets", "street", "highways", "centerlines", "lines")


def load_geopandas() -> ModuleType:
    """The package geopandas.

    Raises:
        RoadexError: it or pyogrio is not installed.
    """
    try:
        import geopandas
        import pyogrio  # noqa: F401
    except ImportError as error:
        raise RoadexError(
            f"GeoPackage needs geopandas and pyogrio: {install_line('geo')}"
        ) from error
    result: ModuleType = geopandas
    return result


def read_geopackage(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from a GeoPackage of ours, or from the layer of roads of another.

    Raises:
        RoadexError: the extra `geo` is missing, the file is no GeoPackage, or it has no layer of
            lines, or several of which none is called roads or edges.
    """
    geopandas = load_geopandas()
    with readable_table(path, "GeoPackage"):
        table = geopandas.list_layers(path)
        layers = dict(zip(table["name"], table["geometry_type"], strict=True))
        own = _own_network(path) if {ROADS, NODES} <= set(layers) else None
        if own is not None:
            return own
        name = layer_of_roads(path, layers)
        return network_of_table(path, _read_layer(path, name), options)


@contextmanager
def readable_table(path: Path, kind: str) -> Iterator[None]:
    """Report failures of geopandas to read a file of roads in one line.

    Raises:
        RoadexError: it is no such file.
    """
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise RoadexError(f"{path} is not a readable {kind} ({reason})") from error


def layer_of_roads(path: Path, layers: dict[str, str | None]) -> str:
    """The one layer of lines, or of several the one that is named after roads."""
    names = [
        name
        for name, kind in layers.items()
        if "LineString" in str(kind) or (_holds_anything(kind) and _holds_lines(path, name))
    ]
    if not names:
        raise RoadexError(f"{path} has no layer of lines: found {sorted(layers) or 'no layers'}")
    if len(names) == 1:
        return names[0]
    called = [name for name in names if name.lower() in _ROAD_NAMES]
    if len(called) == 1:
        return called[0]
    raise RoadexError(
        f"{path} has several layers of lines ({', '.join(sorted(names))}): keep one, or call the "
        "one of roads `roads`"
    )


def _holds_anything(kind: str | None) -> bool:
    return kind is not None and ("Unknown" in str(kind) or "Collection" in str(kind))


def _holds_lines(path: Path, layer: str) -> bool:
    kinds = set(_read_layer(path, layer).geometry.geom_type.dropna())
    return bool(kinds & {"LineString", "MultiLineString"})


def _read_layer(path: Path, layer: str) -> Any:
    """A layer as a table; columns of integers and booleans keep their type, gaps included."""
    import pyogrio

    table = load_geopandas().read_file(path, layer=layer)
    info = pyogrio.read_info(path, layer=layer)
    kinds = {"int": "Int64", "bool": "boolean"}
    columns = zip(info["fields"], map(str, info["dtypes"]), strict=True)
    found = {name: kinds.get(dtype.rstrip("0123456789")) for name, dtype in columns}
    return table.astype({name: kind for name, kind in found.items() if kind})


def network_of_table(path: Path, table: Any, options: ReadOptions) -> nx.MultiGraph:
    """A network from a table of lines, whose common vertices are where they meet.

    Raises:
        RoadexError: the table has lines and no coordinate system.
    """
    dropped: Counter[str] = Counter()
    lines: list[Line] = []
    for shape, row in zip(table.geometry, records(table), strict=True):
        kind = shape.geom_type if shape is not None else "null"
        if kind not in ("LineString", "MultiLineString"):
            dropped[f"{kind} geometry"] += 1
            continue
        lines += [(shapely.get_coordinates(part), row) for part in shapely.get_parts(shape)]
    lines = without_bookkeeping(lines)
    if table.crs is None and lines:
        raise RoadexError(f"{path} names no coordinate reference system: assign one first")
    crs = short_name(table.crs) if table.crs is not None else None
    return geographic_network(path, lines, crs, options, dropped)


def records(table: Any) -> list[dict[str, Any]]:
    """The rows of a table without their shapes; of each the values that are there."""
    columns = table.drop(columns=table.geometry.name)
    if not len(columns.columns):
        return [{} for _ in range(len(table))]
    present = columns.notna().to_dict("records")
    return [
        {name: plain(value) for name, value in row.items() if there[name]}
        for row, there in zip(columns.to_dict("records"), present, strict=True)
    ]


def column_kinds(rows: list[dict[str, Any]]) -> dict[str, str]:
    """The columns of integers or booleans with gaps, and their types.

    By default such columns become floats or text.
    """
    values: dict[str, set[type]] = {}
    for row in rows:
        for name, value in row.items():
            values.setdefault(name, set()).add(type(value))
    names = {int: "Int64", bool: "boolean"}
    return {k: names[kind] for k, kinds in values.items() for kind in names if kinds == {kind}}


def _own_network(path: Path) -> nx.MultiGraph | None:
    """A network as `write_geopackage` wrote it; None where it is another's or was edited since."""
    road_table, node_table = (_read_layer(path, layer) for layer in (ROADS, NODES))
    ours = {"u", "v", "key", "length_m"} <= set(road_table) and {"node", "x", "y"} <= set(
        node_table
    )
    if not ours or road_table.crs != node_table.crs:
        return None
    graph = nx.MultiGraph(crs=short_name(road_table.crs) if road_table.crs is not None else None)
    try:
        for row in records(node_table):
            name, x, y = (row.pop(key) for key in ("node", "x", "y"))
            graph.add_node(_node_name(name), **row, x=float(x), y=float(y))
    except (KeyError, ValueError):
        return None
    roads = [
        (shapely.get_coordinates(shape), shapely.get_coordinates(shape), row)
        for shape, row in zip(road_table.geometry, records(road_table), strict=True)
        if shape is not None and shape.geom_type == "LineString"
    ]
    return own_network(graph, roads, _node_name) if len(roads) == len(road_table) else None


def _node_name(text: Any) -> Hashable:
    return read_name(json.loads(text) if isinstance(text, str) else text)


def write_geopackage(graph: nx.MultiGraph, path: Path) -> None:
    """Write a network in its own CRS (none in the image frame, whose y runs downwards).

    Raises:
        RoadexError: the extra `geo` is missing, or the file cannot be written.
    """
    geopandas = load_geopandas()
    crs = graph.graph.get("crs")
    rows_of_roads, node_rows = road_rows(graph), _node_rows(graph)
    shapes = [shapely.linestrings(line) for *_, line in graph.edges(data="geometry")]
    places = [shapely.points(row["x"], row["y"]) for row in node_rows]
    layers = (
        (ROADS, "LineString", rows_of_roads, shapes, BOOKKEEPING),
        (NODES, "Point", node_rows, places, ("node", "x", "y")),
    )
    with atomic_write(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        for layer, kind, rows, geometry, columns in layers:
            content = rows or {name: np.zeros(0) for name in columns}
            table = geopandas.GeoDataFrame(content, geometry=geometry, crs=crs)
            table = table.astype(column_kinds(rows))
            table.to_file(temporary, layer=layer, driver="GPKG", geometry_type=kind)
        names = {name for row in rows_of_roads for name in row}
        add_styles(temporary, {ROADS: road_style(names)})


def write_geopackage_of_table(table: RoadTable, path: Path) -> None:
    """`write_geopackage` of a large network, some rows at a time.

    Raises:
        RoadexError: the extra `geo` is missing, or the file cannot be written.
    """
    geopandas = load_geopandas()
    with atomic_write(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        for start in range(0, max(len(table), 1), _ROWS_AT_ONCE):
            roads = table_of_roads(table, slice(start, start + _ROWS_AT_ONCE))
            options = {"layer": ROADS, "geometry_type": "LineString", "mode": "a" if start else "w"}
            roads.to_file(temporary, driver="GPKG", **options)
        for start in range(0, max(len(table.names), 1), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            content = {"node": table.names[part].astype(str).astype(object)}
            content |= {"x": table.places[part, 0], "y": table.places[part, 1]}
            shapes = shapely.points(table.places[part])
            nodes = geopandas.GeoDataFrame(content, geometry=shapes, crs=table.crs)
            options = {"layer": NODES, "geometry_type": "Point", "mode": "a" if start else "w"}
            nodes.to_file(temporary, driver="GPKG", **options)
        add_styles(temporary, {ROADS: road_style(table.attributes)})


def table_of_roads(table: RoadTable, part: slice = slice(None)) -> Any:
    """Some roads with the columns of `road_rows`, as a geopandas table."""
    bounds = table.offsets[:-1][part], table.offsets[1:][part]
    count = len(bounds[0])
    first, last = (bounds[0][0], bounds[1][-1]) if count else (0, 0)
    points = table.points[first:last]
    lines = np.split(points, bounds[1][:-1] - first) if count else []
    ends = table.ends[part]
    content: dict[str, Any] = {
        name: table.column(name, part)
        for i, name in enumerate(table.attributes)
        if not np.isnan(table.values[:, i]).all()
    }
    starts = np.array([line[0] for line in lines]).reshape(-1, 2)
    stops = np.array([line[-1] for line in lines]).reshape(-1, 2)
    gaps = [np.hypot(*(side - table.places[ends[:, 0]]).T) for side in (starts, stops)]
    turned = gaps[1] < gaps[0]
    for name, end in (("u", turned.astype(int)), ("v", 1 - turned.astype(int))):
        content[name] = table.names[ends[np.arange(count), end]].astype(str).astype(object)
    content["key"] = table.keys[part]
    content["length_m"] = table.lengths[part]
    content["shape"] = np.array([shape_of(line) for line in lines], dtype=object)
    owners = np.repeat(np.arange(count), bounds[1] - bounds[0])
    shapes = shapely.linestrings(points, indices=owners) if count else []
    return load_geopandas().GeoDataFrame(content, geometry=shapes, crs=table.crs)


def road_rows(graph: nx.MultiGraph) -> list[dict[str, Any]]:
    """The attributes of each road as a table can hold them, with the names of its nodes."""
    rows = []
    for u, v, key, data in graph.edges(keys=True, data=True):
        first, last = map(_name, directed_ends(graph, u, v, key))
        own = {"u": first, "v": last, "key": key, "length_m": float(data["length"])}
        shape = {"shape": shape_of(data["geometry"])}
        rows.append({**_flat(road_extras(data)), **own, **shape})
    return rows


def _node_rows(graph: nx.MultiGraph) -> list[dict[str, Any]]:
    return [
        {**_flat(extras(data)), "node": _name(node), "x": float(data["x"]), "y": float(data["y"])}
        for node, data in graph.nodes(data=True)
    ]


def _name(node: Any) -> str:
    return json.dumps(write_name(node))


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    """Attributes as a table can hold them: lists and mappings as JSON text."""
    return {k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in data.items()}
