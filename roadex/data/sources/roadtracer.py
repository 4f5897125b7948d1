"""The RoadTracer dataset: 40 cities in large image tiles, a text graph for each city."""

from __future__ import annotations

import re
from pathlib import Path

from roadex.config.dataset import RoadTracerConfig
from roadex.data.sources.base import Finding, Kind
from roadex.data.sources.files import Division, Entry, FileSource, images_below, raw_folder
from roadex.data.sources.pixel_graphs import PixelGraphReader
from roadex.errors import RoadexError

_TILE = re.compile(r"(?P<city>.+)_(?P<x>-?\d+)_(?P<y>-?\d+)_sat")


def roadtracer_source(config: RoadTracerConfig) -> FileSource:
    """CITY_X_Y_sat.png, `tile_px` large, at pixel (X, Y) * tile_px of CITY.graph.

    A city is one group: its tiles are neighbours and never straddle splits.

    Raises:
        RoadexError: the folder is missing or holds no tile with a graph.
    """
    raw = raw_folder(config.raw)
    graphs = {path.stem: path for path in sorted(raw.rglob("*.graph"))}
    entries: dict[str, Entry] = {}
    findings: list[Finding] = []
    for path in images_below(raw):
        found = _TILE.fullmatch(path.stem)
        if found and found["city"] in graphs:
            corner = int(found["x"]) * config.tile_px, int(found["y"]) * config.tile_px
            name = path.stem.removesuffix("_sat")
            entries[name] = Entry(path, graphs[found["city"]], found["city"], corner)
        elif found:
            findings.append(Finding(path, Kind.UNLABELLED, f"there is no {found['city']}.graph"))
    if not entries:
        raise RoadexError(f"{config.raw}: it needs CITY_X_Y_sat.png with CITY.graph")
    findings += _orphans(graphs, {entry.group for entry in entries.values()})
    division = Division(config.splits, by_group=True)
    reader = PixelGraphReader(config.gsd, config.widths)
    return FileSource(entries, reader, division, tuple(findings))


def _orphans(graphs: dict[str, Path], cities: set[str]) -> list[Finding]:
    return [
        Finding(path, Kind.ORPHAN, "its images are missing")
        for city, path in graphs.items()
        if city not in cities
    ]
