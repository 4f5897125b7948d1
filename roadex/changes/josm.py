"""The missing roads as a file that JOSM opens, tied to the map where they meet it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np

from roadex.changes.detours import tied
from roadex.changes.engine import MISSING, Comparison
from roadex.changes.samples import Floats
from roadex.files import atomic_write
from roadex.geo.crs import WGS84, reproject
from roadex.graph.attributes import highway_of, lanes_of, surface_of
from roadex.graph.osm import UNKNOWN_HIGHWAY


def write_josm(result: Comparison, source: Path, path: Path, join_m: float) -> None:
    """Write every missing segment as a new way.

    New nodes and ways have negative numbers. A segment that ends within `join_m` metres of the map
    ends at a node of it that near, else at the nearest place of its road; a node that exists in
    `source`, an OpenStreetMap file, has its own number and version.

    Raises:
        RoadexError: the file cannot be written.
    """
    segments = result.of(MISSING)
    crs = str(result.crs)
    lines = tied([segment.line for segment in segments], result.networks[0], join_m)
    spots = [_spots(line, crs) for line in lines]
    known = nodes_at(source, {spot for line in spots for spot in (line[0], line[-1])})
    tags = [_tags(segment.data) for segment in segments]
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join(_document(spots, tags, known)) + "\n", encoding="utf-8")


def _spots(line: Floats, crs: str) -> list[Spot]:
    """The places of a line in OpenStreetMap's units, none twice in a row."""
    places = np.round(reproject(line, crs, WGS84) * UNITS).astype(np.int64)
    fresh = np.concatenate([[True], (np.diff(places, axis=0) != 0).any(axis=1)])
    return [(x, y) for x, y in places[fresh].tolist()]


def _tags(data: dict[str, Any]) -> dict[str, str]:
    lanes = lanes_of(data.get("lanes"))
    tags = {"highway": highway_of(data) or UNKNOWN_HIGHWAY, "surface": surface_of(data)}
    tags |= {"lanes": str(lanes) if lanes else None, "source": "roadex"}
    return {key: value for key, value in tags.items() if value}


def _document(
    lines: list[list[Spot]], tags: list[dict[str, str]], known: dict[Spot, OsmNode]
) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<osm version="0.6" generator="roadex">'
    numbers: dict[Spot, int] = {}
    for spot in dict.fromkeys(spot for line in lines for spot in line):
        numbers[spot] = known[spot].number if spot in known else -1 - len(numbers)
        yield _node(spot, numbers[spot], known.get(spot))
    for index, (line, pairs) in enumerate(zip(lines, tags, strict=True), start=1):
        if len(line) < 2:
            continue
        yield f'  <way id="{-len(numbers) - index}" action="modify" visible="true">'
        yield from (f'    <nd ref="{numbers[spot]}"/>' for spot in line)
        yield from (f"    <tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in pairs.items())
        yield "  </way>"
    yield "</osm>"


def _node(spot: Spot, number: int, known: OsmNode | None) -> str:
    longitude, latitude = (f"{value / UNITS:.7f}" for value in spot)
    state = f'version="{known.version}"' if known else 'action="modify"'
    return f'  <node id="{number}" {state} visible="true" lat="{latitude}" lon="{longitude}"/>'


log = logging.getLogger(__name__)
# OpenStreetMap stores coordinates in units of 1e-7 degrees.
UNITS = 10_000_000
Spot = tuple[int, int]


class OsmNode(NamedTuple):
    """An existing node: its number and version."""

    number: int
    version: int


def nodes_at(path: Path, spots: set[Spot]) -> dict[Spot, OsmNode]:
    """The existing nodes at some places (longitude and latitude in units of 1e-7 degrees).

    Empty where the file is no OpenStreetMap file. Nodes without a version, which an editor could
    not change, are left out. `.osm.pbf` needs the package osmium.
    """
    suffix = path.suffix.lower()
    if suffix not in (".osm", ".pbf") or not spots:
        return {}
    found: dict[Spot, OsmNode] = {}
    for node, spot in _xml_nodes(path) if suffix == ".osm" else _pbf_nodes(path):
        if spot in spots and node.version > 0:
            found.setdefault(spot, node)
    return found


def _xml_nodes(path: Path) -> Iterator[tuple[OsmNode, Spot]]:
    for _, element in ElementTree.iterparse(path):
        if element.tag == "node" and "lat" in element.attrib:
            longitude, latitude = (round(float(element.attrib[k]) * UNITS) for k in ("lon", "lat"))
            number, version = (int(element.attrib.get(k, 0)) for k in ("id", "version"))
            yield OsmNode(number, version), (longitude, latitude)
        if element.tag in ("node", "way", "relation"):
            element.clear()


def _pbf_nodes(path: Path) -> Iterator[tuple[OsmNode, Spot]]:
    try:
        import osmium
    except ImportError:
        log.warning(
            "%s: without the package osmium (pip install osmium) missing.osm has nodes of its own "
            "where roads meet the map; JOSM's validator joins them",
            path,
        )
        return
    for node in osmium.FileProcessor(str(path), osmium.osm.NODE):
        place = node.location
        if place.valid():
            yield (
                OsmNode(node.id, node.version),
                (round(place.lon * UNITS), round(place.lat * UNITS)),
            )
