"""How far roads lie and turn from the true ones, along their whole length.

python experiments/finish/geometry.py world [GSD]         # true masks of the built-in world
python experiments/finish/geometry.py TRUTH GRAPHS [...]  # folders of networks, of one name each

Every 2 m a place of a road is compared with the nearest place of the truth, if that is nearer than
10 m: its distance, and the angle between the chords of 8 m about both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.config.graph import GraphSettings
from roadex.config.world import WorldSettings
from roadex.graph import decode as decoding
from roadex.graph import mask_to_graph
from roadex.graph.formats import read_network
from roadex.graph.network import total_length
from roadex.world import make_tile

STEP_M, REACH_M, CHORD_M = 2.0, 10.0, 8.0
TILES = 24
Pair = tuple[nx.MultiGraph, nx.MultiGraph]


def errors(truth: nx.MultiGraph, found: nx.MultiGraph) -> NDArray[np.float64]:
    """Distance in metres and angle in degrees (n, 2) at places along the roads that were found."""
    lines = [shapely.LineString(data["geometry"]) for *_, data in truth.edges(data=True)]
    tree, rows = shapely.STRtree(lines), []
    for *_, data in found.edges(data=True):
        line = shapely.LineString(data["geometry"])
        stops = np.arange(CHORD_M / 2, line.length - CHORD_M / 2, STEP_M)
        for stop, place in zip(stops, shapely.line_interpolate_point(line, stops), strict=True):
            nearest = lines[tree.nearest(place)]
            gap = place.distance(nearest)
            if gap < REACH_M:
                there = nearest.project(place)
                rows.append((gap, between(chord(line, stop), chord(nearest, there))))
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def chord(line: shapely.LineString, stop: float) -> NDArray[np.float64]:
    """From CHORD_M / 2 before a place of a line to as far behind it."""
    ends = np.clip([stop - CHORD_M / 2, stop + CHORD_M / 2], 0, line.length)
    return np.diff(shapely.get_coordinates(shapely.line_interpolate_point(line, ends)), axis=0)[0]


def between(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The angle between two directions of no sense, 0 to 90 degrees."""
    norms = float(np.hypot(*one) * np.hypot(*other))
    return float(np.degrees(np.arccos(min(abs(float(one @ other)) / norms, 1.0)))) if norms else 0.0


def row(name: str, pairs: Iterator[Pair]) -> str:
    """A line of the table: means over all places, and how much longer roads are than the truth."""
    measured, lengths, vertices = [], np.zeros(2), 0
    for truth, found in pairs:
        measured.append(errors(truth, found))
        lengths += total_length(truth), total_length(found)
        vertices += sum(len(data["geometry"]) for *_, data in found.edges(data=True))
    all_places = np.concatenate(measured)
    (offset, angle), (far, wide) = all_places.mean(axis=0), np.percentile(all_places, 95, axis=0)
    cells = f"{offset:.2f} | {far:.2f} | {angle:.1f} | {wide:.1f} | {lengths[1] / lengths[0]:.3f}"
    return f"| {name} | {cells} | {vertices / lengths[1] * 100:.1f} | {len(measured)} |"


def world(gsd: float) -> None:
    """Roads of the true masks: as thinned, without stairs, and with fewer points."""
    tiles = [make_tile(WorldSettings(gsd=gsd), 2, index) for index in range(TILES)]
    settings = GraphSettings()

    def pairs(given: GraphSettings) -> Iterator[Pair]:
        return ((tile.graph, mask_to_graph(tile.mask, gsd, given)) for tile in tiles)

    unsmoothed: Callable[..., Any] = lambda lines, road: lines.points  # noqa: E731
    with mock.patch.object(decoding, "_centred", unsmoothed):
        print(row("thinned to pixels", pairs(replace(settings, simplify_m=0.0))), flush=True)
        print(row("thinned, fewer points", pairs(settings)), flush=True)
    print(row("centred and smoothed", pairs(replace(settings, simplify_m=0.0))), flush=True)
    print(row("centred and smoothed, fewer points (what is written)", pairs(settings)))


def folders(truth: Path, graphs: list[Path]) -> None:
    """Networks of one name in several folders."""
    names = sorted(path.name for path in truth.glob("*.*json"))
    for folder in graphs:
        pairs = ((read_network(truth / name), read_network(folder / name)) for name in names)
        print(row(str(folder), pairs), flush=True)


if __name__ == "__main__":
    names = [
        "roads",
        "offset, m",
        "95 %",
        "heading, degrees",
        "95 %",
        "length",
        "points per 100 m",
        "tiles",
    ]
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    if sys.argv[1] == "world":
        world(float(sys.argv[2]) if len(sys.argv) > 2 else 0.5)
    else:
        folders(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
