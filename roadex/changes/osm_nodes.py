"""The nodes of an OpenStreetMap file by where they lie."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

log = logging.getLogger(__name__)
# OpenStreetMap counts places in units of 1e-7 degrees.
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
