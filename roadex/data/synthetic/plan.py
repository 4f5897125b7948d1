"""The plan of one tile, all in metres: its roads, railway and water, before anything is painted."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import networkx as nx
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from roadex.data.synthetic.character import Character
from roadex.data.synthetic.frame import FloatArray
from roadex.data.synthetic.lines import beside
from roadex.data.synthetic.network import add_roundabouts, build_network, mark_turning_circles
from roadex.data.synthetic.roads import (
    ROAD_CLASSES,
    Road,
    clipped,
    cut_out,
    declutter,
    grid_plan,
    industrial_plan,
    organic_plan,
    reach_out,
    rural_plan,
    through,
)
from roadex.data.synthetic.settings import WorldSettings
from roadex.data.synthetic.streets import group_streets

MARGIN_M = 32.0  # what is planned beyond the tile, so that nothing changes at its border


@dataclass(frozen=True)
class Plan:
    """Roads and large features of a tile and a margin around it; x, y in metres."""

    graph: nx.MultiGraph
    domain: shapely.Polygon
    regions: list[tuple[BaseGeometry, str]]  # ground and its landscape
    river: BaseGeometry
    railway: FloatArray | None
    motorway_above: bool
    rings: list[tuple[FloatArray, float]] = field(default_factory=list)


def draw_plan(settings: WorldSettings, character: Character, rng: np.random.Generator) -> Plan:
    """Lay out a tile."""
    side = settings.side_m
    domain = shapely.box(-MARGIN_M, -MARGIN_M, side + MARGIN_M, side + MARGIN_M)
    spine, split = _draw_spine(character, rng, side)
    regions = _split_regions(domain, split, character)
    roads = [*spine]
    for region, style in regions:
        local = _style_roads(settings, character, rng, style)
        local = clipped(local, shapely.buffer(region, 0.5))
        roads += declutter(local, spine)
    roads = reach_out(roads)
    railway = _draw_railway(rng, settings, character, spine)
    river = _draw_river(rng, settings, spine)
    roads = _cross_obstacles(roads, railway, river)
    roads = _add_motorway(rng, settings, character, roads)
    roads = clipped(roads, domain)
    graph = build_network(roads, _draw_widths(rng))
    rings = add_roundabouts(graph, rng, settings.roundabout_share, side)
    mark_turning_circles(graph, rng, 0.6)
    nx.set_edge_attributes(graph, group_streets(graph), "street")
    return Plan(graph, domain, regions, river, railway, bool(rng.random() < 0.35), rings)


def _draw_widths(rng: np.random.Generator) -> dict[str, float]:
    return {name: float(rng.uniform(*traits.width_m)) for name, traits in ROAD_CLASSES.items()}


def _draw_spine(
    character: Character, rng: np.random.Generator, side: float
) -> tuple[list[Road], FloatArray | None]:
    """The main road through the tile, if it has one, which also parts two landscapes."""
    rural = character.styles[0] == "rural"
    if rng.random() < (0.45 if rural else 0.25) and len(character.styles) == 1:
        return [], None
    straight = character.styles[0] in ("grid", "industrial") and rng.random() < 0.6
    heading = character.heading + (0.0 if straight else rng.normal(0, 0.5))
    line = through(rng, side, heading, 0.0 if straight else rng.uniform(0.001, 0.006))
    road_class = "collector" if rural or rng.random() < 0.45 else "arterial"
    return [Road(line, road_class)], line


def _split_regions(
    domain: shapely.Polygon, split: FloatArray | None, character: Character
) -> list[tuple[BaseGeometry, str]]:
    first, last = character.styles[0], character.styles[-1]
    if split is None:
        return [(domain, first)]
    edges = shapely.union_all([domain.boundary, shapely.LineString(split)])
    parts = shapely.get_parts(shapely.polygonize([*shapely.get_parts(edges)]))
    inside = [part for part in parts if domain.contains(part.representative_point())]
    inside.sort(key=lambda part: -part.area)
    return [(part, last if number else first) for number, part in enumerate(inside)]


def _style_roads(
    settings: WorldSettings, character: Character, rng: np.random.Generator, style: str
) -> list[Road]:
    usual = (settings.side_m, character.heading, max(settings.junction_density, 0.1))
    loss = settings.dead_end_share
    if style == "grid":
        return grid_plan(rng, *usual, loss, character.alleys)
    plans = {"organic": organic_plan, "rural": rural_plan, "industrial": industrial_plan}
    return plans[style](rng, *usual, loss)


def _maybe_line(
    rng: np.random.Generator, share: float, side: float, heading: float, turn: float
) -> FloatArray | None:
    drawn = rng.random() < share
    line = through(rng, side, heading, turn)
    return line if drawn else None


def _draw_railway(
    rng: np.random.Generator, settings: WorldSettings, character: Character, spine: list[Road]
) -> FloatArray | None:
    heading = character.heading + rng.choice([0, np.pi / 2]) + rng.normal(0, 0.12)
    line = _maybe_line(rng, settings.railway_share, settings.side_m, heading, 0.0012)
    return None if line is None or _runs_beside(line, spine, 20) else line


def _runs_beside(line: FloatArray, spine: list[Road], gap_m: float) -> bool:
    zone = shapely.LineString(line).buffer(gap_m)
    return any(shapely.LineString(road.line).intersection(zone).length > 130 for road in spine)


def _draw_river(
    rng: np.random.Generator, settings: WorldSettings, spine: list[Road]
) -> BaseGeometry:
    line = _maybe_line(rng, settings.river_share, settings.side_m, rng.uniform(0, np.pi), 0.008)
    if line is None or _runs_beside(line, spine, 40):
        return shapely.Polygon()
    widths = 6 + rng.gamma(2.0, 5.0) + 4 * np.sin(np.arange(len(line)) / rng.uniform(4, 9))
    discs = shapely.buffer(shapely.points(line), np.maximum(widths, 4.0))
    hulls = [shapely.union(a, b).convex_hull for a, b in pairwise(discs)]
    return shapely.union_all(hulls)


def _cross_obstacles(
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
        major = _beside_removed(major, river.buffer(9))
    return major + minor


def _beside_removed(roads: list[Road], zone: BaseGeometry, longest_m: float = 110.0) -> list[Road]:
    if not roads:
        return roads
    lines = np.array([shapely.LineString(road.line) for road in roads])
    parts = shapely.get_parts(shapely.intersection(lines, zone))
    bad = [part for part in parts if part.length > longest_m]
    return cut_out(roads, shapely.union_all(bad).buffer(0.05)) if bad else roads


def _add_motorway(
    rng: np.random.Generator, settings: WorldSettings, character: Character, roads: list[Road]
) -> list[Road]:
    """Two carriageways through the tile that other roads cross on bridges or not at all."""
    heading = character.heading + rng.choice([0, np.pi / 2]) + rng.normal(0, 0.35)
    middle = _maybe_line(rng, settings.motorway_share, settings.side_m, heading, 0.002)
    gap = rng.uniform(15.5, 22.0)
    if middle is None:
        return roads
    axis = shapely.LineString(middle)
    corridor = axis.buffer(gap / 2 + 14)
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
    return line.crosses(axis) and inside.length < 110 and not any(ends)
