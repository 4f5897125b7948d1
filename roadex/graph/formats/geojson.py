"""GeoJSON: lines in longitude and latitude (RFC 7946), or networks of ours in any frame.

Lines written by others make a network by their shared vertices, in metres of their UTM zone, or as
they are where an (old-style) `crs` member names a projected system. In files of ours a member
`roadex` holds the nodes; a network in the image frame is written in metres, x right and y down,
which that member says, and is restored exactly. One with a CRS is written in WGS 84, as the
standard demands, and is restored up to the rounding of the projection.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.geo.crs import (
    WGS84,
    check_coordinates,
    haversine_mm,
    is_local,
    parse_crs,
    reproject,
    short_name,
)
from roadex.graph.formats.exact import (
    OwnRoad,
    directed_ends,
    extras,
    own_network,
    read_name,
    road_extras,
    shape_of,
    without_bookkeeping,
    write_name,
)
from roadex.graph.formats.lines import Line, network_from_lines
from roadex.graph.formats.options import HAVERSINE_MM, ReadOptions, read_object
from roadex.graph.formats.settled import PIXEL_M, drop_small_components, frame_of, in_metres
from roadex.graph.network import ONE_WAY
from roadex.graph.skeleton import Floats

MEMBER = "roadex"
_DIGITS = 10  # of a degree: less than a hundredth of a millimetre


def read_geojson(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from a GeoJSON file.

    Raises:
        RoadexError: no GeoJSON, or coordinates that are neither degrees nor in a named system.
    """
    return network_from_geojson(path, read_object(path, _sequence), options)


def network_from_geojson(
    path: Path, content: dict[str, Any], options: ReadOptions
) -> nx.MultiGraph:
    """The network in parsed GeoJSON; `path` is named in errors."""
    try:
        own = _own_network(content) if MEMBER in content else None
        if own is not None:
            return in_metres(own)
        dropped: Counter[str] = Counter()
        lines = [line for feature in _features(content) for line in _lines(feature, dropped)]
        if MEMBER in content:
            lines = without_bookkeeping(lines)
        if MEMBER in content and not _in_degrees(content[MEMBER].get("crs")):
            return _in_the_image(content[MEMBER], lines, dropped)
        return geographic_network(path, lines, _crs_name(path, content), options, dropped)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise RoadexError(
            f"{path} is not GeoJSON of roads ({error!r}): check its structure"
        ) from error


def _in_the_image(
    member: dict[str, Any], lines: list[Line], dropped: Counter[str]
) -> nx.MultiGraph:
    """Edited lines of a file of ours that is in no system of the globe."""
    graph = network_from_lines(lines, member.get("crs"), dropped=dropped)
    graph.graph.update(member.get("attributes", {}))
    return in_metres(graph)


def geographic_network(
    path: Path, lines: list[Line], crs: str | None, options: ReadOptions, dropped: Counter[str]
) -> nx.MultiGraph:
    """A network from lines in the named system, or in degrees where none is named.

    Raises:
        RoadexError: the coordinates are not in the system they should be in.
    """
    points = np.concatenate([line for line, _ in lines]) if lines else np.zeros((0, 2))
    points = points[np.isfinite(points).all(axis=1)]
    source = crs or WGS84
    if crs is None and len(points) and (np.abs(points) > (540, 90)).any():
        raise RoadexError(
            f"{path}: coordinates are not longitude and latitude (are the axes swapped?): "
            "name their system in a `crs` member"
        )
    check_coordinates(points, source, str(path))
    if parse_crs(source).is_geographic:
        lines = _on_one_side(lines, points)
    if not options.one_way:
        lines = [(line, {k: v for k, v in data.items() if k != ONE_WAY}) for line, data in lines]
    target = frame_of(points, source, options.crs)
    apart, timed = options.keep_apart, options.timed
    if target == short_name(parse_crs(source)):
        return network_from_lines(lines, target, dropped=dropped, keep_apart=apart, timed=timed)
    place = partial(reproject, source=source, target=target) if target else np.asarray
    spherical = options.edge_length == HAVERSINE_MM and parse_crs(source).is_geographic
    measure = haversine_mm if spherical else None
    vanish = options.doubled_vanish
    graph = network_from_lines(lines, target, place, measure, dropped, vanish, apart, timed)
    return drop_small_components(graph, options.min_component_m)


def _sequence(text: str) -> dict[str, Any] | None:
    """The features of a text of one a line (RFC 8142), as ogr2ogr writes them; else None."""
    lines = [line.strip("\x1e \r") for line in text.split("\n")]
    features = [json.loads(line) for line in lines if line]
    if all(isinstance(f, dict) and f.get("type") == "Feature" for f in features):
        return {"type": "FeatureCollection", "features": features}
    return None


def _features(content: dict[str, Any]) -> list[dict[str, Any]]:
    kind = content.get("type")
    if kind == "FeatureCollection":
        return [feature or {} for feature in content["features"]]
    if kind == "Feature":
        return [content]
    return [{"geometry": content}] if "coordinates" in content or kind else content["features"]


def _lines(feature: dict[str, Any], dropped: Counter[str]) -> Iterator[Line]:
    """The lines of a feature, without heights."""
    geometry: dict[str, Any] = feature.get("geometry") or {"type": "null"}
    kind = geometry["type"]
    attributes = dict(feature.get("properties") or {})
    if kind == "LineString":
        parts = [geometry["coordinates"]]
    elif kind == "MultiLineString":
        parts = geometry["coordinates"]
    elif kind == "GeometryCollection":
        for member in geometry["geometries"]:
            yield from _lines({"geometry": member, "properties": attributes}, dropped)
        return
    else:
        dropped[f"{kind} geometry"] += 1
        return
    for part in parts:
        if part:
            points = [[_number(point[0]), _number(point[1])] for point in part]
            yield np.array(points, dtype=np.float64), attributes
        else:
            dropped["line with one point"] += 1


def _number(value: Any) -> float:
    """A coordinate; null, which some writers put for NaN, is not a number."""
    return float("nan") if value is None else float(value)


def _crs_name(path: Path, content: dict[str, Any]) -> str | None:
    """The system that a `crs` member of the drafts before RFC 7946 names."""
    crs = content.get("crs")
    if not crs:
        return None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    if isinstance(properties, dict):
        if isinstance(properties.get("name"), str):
            return str(properties["name"])
        if str(crs.get("type")).upper() == "EPSG" and str(properties.get("code", "")).isdigit():
            return f"EPSG:{properties['code']}"
    raise RoadexError(
        f"{path}: its `crs` member {json.dumps(crs)[:80]} names no system: write "
        '{"type": "name", "properties": {"name": "EPSG:..."}}, or leave it out for degrees'
    )


def _own_network(content: dict[str, Any]) -> nx.MultiGraph | None:
    """A network as `write_geojson` wrote it; None where it has been edited since."""
    member = content[MEMBER]
    crs = member.get("crs")
    graph = nx.MultiGraph(**{**member.get("attributes", {}), "crs": crs})
    for name, x, y, attributes in member["nodes"]:
        graph.add_node(read_name(name), **attributes, x=float(x), y=float(y))
    rows: list[OwnRoad] = []
    for feature in content["features"]:
        properties = dict(feature.get("properties") or {})
        shape = feature.get("geometry") or {}
        if shape.get("type") != "LineString":
            return None
        written = np.array(shape["coordinates"], dtype=np.float64)[:, :2]
        line = reproject(written, WGS84, str(crs)) if _in_degrees(crs) else written
        rows.append((written, line, properties))
    return own_network(graph, rows, read_name)


def _on_one_side(lines: list[Line], points: Floats) -> list[Line]:
    """Lines whose longitudes go on beyond 180 degrees where their points (n, 2) lie about it.

    The ends of a line that was cut there, as the standard demands, are then one vertex.
    """
    if not len(points) or np.ptp(points[:, 0]) <= 180:
        return lines
    turns = np.radians(points[:, 0])
    middle = np.degrees(np.arctan2(np.sin(turns).mean(), np.cos(turns).mean()))
    if abs(middle) < 90:
        return lines
    start = middle - 180
    moved = []
    for line, attributes in lines:
        longitude = np.round((line[:, 0] - start) % 360 + start, _DIGITS)
        moved.append((np.column_stack([longitude, line[:, 1:]]), attributes))
    return moved


_UNITS = {"px": "pixel", "m": "metre"}


def _in_degrees(crs: str | None) -> bool:
    """Whether a network of that system is written in degrees, as the standard demands."""
    return crs is not None and not is_local(parse_crs(crs))


def write_geojson(graph: nx.MultiGraph, path: Path) -> None:
    """Write a network as LineString features with their `length_m` and other attributes."""
    crs = graph.graph.get("crs")
    nodes = [[write_name(n), d["x"], d["y"], extras(d)] for n, d in graph.nodes(data=True)]
    units = "px" if PIXEL_M in graph.graph else "m"
    frame = {"units": units, "frame": "projected" if crs else "image", "crs": crs}
    more = {k: v for k, v in extras(graph.graph).items() if k != "crs"}
    head: dict[str, Any] = {"type": "FeatureCollection"}
    if not _in_degrees(crs):
        # Otherwise a GIS reads the numbers as degrees, following the standard.
        system = crs or f'LOCAL_CS["image, y down",UNIT["{_UNITS[units]}",1]]'
        head["crs"] = {"type": "name", "properties": {"name": system}}
    head[MEMBER] = {**frame, "attributes": more, "nodes": nodes}
    features = [json.dumps(feature, allow_nan=False) for feature in _road_features(graph, crs)]
    body = json.dumps(head, allow_nan=False)[:-1] + ', "features": [\n' + ",\n".join(features)
    with atomic_write(path) as temporary:
        temporary.write_text(body + "\n]}\n", encoding="utf-8")


def _road_features(graph: nx.MultiGraph, crs: str | None) -> Iterator[dict[str, Any]]:
    for u, v, key, data in graph.edges(keys=True, data=True):
        first, last = directed_ends(graph, u, v, key)
        ends = {"u": write_name(first), "v": write_name(last), "key": key}
        line = data["geometry"]
        points = _continuous(reproject(line, str(crs), WGS84)) if _in_degrees(crs) else line
        yield {
            "type": "Feature",
            "properties": {
                **road_extras(data),
                **ends,
                "length_m": float(data["length"]),
                "shape": shape_of(points),
            },
            "geometry": {"type": "LineString", "coordinates": points.tolist()},
        }


def _continuous(line: Floats) -> Floats:
    """Longitudes that continue beyond 180 degrees instead of jumping to the other side."""
    line[:, 0] = np.unwrap(line[:, 0], period=360)
    return line
