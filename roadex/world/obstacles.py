"""What minor roads do not cross: railways, rivers and motorways."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from roadex.config.world import WorldSettings
from roadex.world.character import Character
from roadex.world.frame import FloatArray
from roadex.world.roads import ROAD_CLASSES, Road, cut_beside, cut_out, declutter
from roadex.world.shapes import beside, through


def _maybe_line(
    rng: np.random.Generator, share: float, side: float, heading: float, turn: float
) -> FloatArray | None:
    drawn = rng.random() < share
    line = through(rng, side, heading, turn)
    return line if drawn else None


def draw_railway(
    rng: np.random.Generator, settings: WorldSettings, character: Character, spine: list[Road]
) -> FloatArray | None:
    """A railway line (n, 2) in metres, in some tiles, never along the main road."""
    heading = character.heading + rng.choice([0, np.pi / 2]) + rng.normal(0, 0.12)
    line = _maybe_line(rng, settings.railway_share, settings.side_m, heading, 0.0012)
    return None if line is None or _runs_beside(line, spine, 20) else line


def _runs_beside(line: FloatArray, spine: list[Road], gap_m: float) -> bool:
    zone = shapely.LineString(line).buffer(gap_m)
    return any(shapely.LineString(road.line).intersection(zone).length > 130 for road in spine)


def draw_river(
    rng: np.random.Generator, settings: WorldSettings, spine: list[Road]
) -> BaseGeometry:
    """A river's surface, in some tiles, never along the main road."""
    line = _maybe_line(rng, settings.river_share, settings.side_m, rng.uniform(0, np.pi), 0.008)
    if line is None or _runs_beside(line, spine, 40):
        return shapely.Polygon()
    widths = 6 + rng.gamma(2.0, 5.0) + 4 * np.sin(np.arange(len(line)) / rng.uniform(4, 9))
    discs = shapely.buffer(shapely.points(line), np.maximum(widths, 4.0))
    hulls = [shapely.union(a, b).convex_hull for a, b in pairwise(discs)]
    return shapely.union_all(hulls)


def cross_obstacles(
    roads: list[Road], railway: FloatArray | None, river: BaseGeometry
) -> list[Road]:
    """Only main roads cross rails and rivers, and no road runs along them."""
    major = [road for road in roads if ROAD_CLASSES[road.road_class].rank <= 2]
    minor = [road for road in roads if ROAD_CLASSES[road.road_class].rank > 2]
    if railway is not None:
        minor = cut_out(minor, shapely.LineString(railway).buffer(12))
        major = declutter(major, [Road(railway, "track")])
    if not river.is_empty:
        minor = cut_out(minor, river.buffer(9))
        major = cut_beside(major, river.buffer(9), 110.0)
    return major + minor


def add_motorway(
    rng: np.random.Generator,
    settings: WorldSettings,
    character: Character,
    roads: list[Road],
    width_m: float,
) -> list[Road]:
    """Two carriageways through the tile that other roads cross on bridges or not at all."""
    heading = character.heading + rng.choice([0, np.pi / 2]) + rng.normal(0, 0.35)
    middle = _maybe_line(rng, settings.motorway_share, settings.side_m, heading, 0.002)
    gap = width_m + rng.uniform(1.5, 11.0)
    if middle is None:
        return roads
    axis = shapely.LineString(middle)
    corridor = axis.buffer(gap / 2 + width_m / 2 + 9)
    crossing = [r for r in roads if _crosses(r, axis, corridor)]
    others = cut_out([r for r in roads if not any(r is c for c in crossing)], corridor)
    carriageways = [
        Road(beside(middle, offset), "motorway", layer=1) for offset in (-gap / 2, gap / 2)
    ]
    return crossing + others + carriageways


def _crosses(road: Road, axis: shapely.LineString, corridor: BaseGeometry) -> bool:
    """Whether a main road crosses the corridor squarely enough for a bridge, and wholly."""
    if ROAD_CLASSES[road.road_class].rank > 2:
        return False
    line = shapely.LineString(road.line)
    inside = line.intersection(corridor)
    ends = [shapely.Point(tip).within(corridor) for tip in road.line[[0, -1]]]
    return line.crosses(axis) and inside.length < 160 and not any(ends)
