"""The missing roads as a file that JOSM opens, tied to the map where they meet it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from roadex.changes.engine import MISSING, Comparison
from roadex.changes.joining import tied
from roadex.changes.osm_nodes import UNITS, OsmNode, Spot, nodes_at
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
