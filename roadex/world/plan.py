"""The plan of one tile, all in metres: its roads, railway and water, before anything is painted."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from roadex.config.world import WorldSettings
from roadex.world.character import Character
from roadex.world.frame import FloatArray
from roadex.world.network import add_roundabouts, build_network, mark_turning_circles
from roadex.world.obstacles import add_motorway, cross_obstacles, draw_railway, draw_river
from roadex.world.roads import ROAD_CLASSES, WIDE_MOTORWAY_M, Road, clipped, declutter, reach_out
from roadex.world.shapes import through
from roadex.world.styles import PLANS, Terms
from roadex.world.surface import group_streets, road_surface

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
    rings: list[tuple[FloatArray, float]]  # centre and radius of each roundabout
    surfaces: tuple[BaseGeometry, BaseGeometry]  # the ground that the roads of each layer cover


def draw_plan(settings: WorldSettings, character: Character, rng: np.random.Generator) -> Plan:
    """Lay out a tile."""
    side = settings.side_m
    domain = shapely.box(-MARGIN_M, -MARGIN_M, side + MARGIN_M, side + MARGIN_M)
    spine, split = _draw_spine(character, rng, side)
    regions = _split_regions(domain, split, character)
    roads = reach_out(spine + _local_roads(settings, character, regions, spine, rng))
    railway = draw_railway(rng, settings, character, spine)
    river = draw_river(rng, settings, spine)
    roads = cross_obstacles(roads, railway, river)
    widths = _draw_widths(settings, rng)
    roads = add_motorway(rng, settings, character, roads, widths["motorway"])
    graph = build_network(clipped(roads, domain), widths)
    rings = add_roundabouts(graph, rng, settings.roundabout_share, side)
    mark_turning_circles(graph, rng, 0.6)
    nx.set_edge_attributes(graph, group_streets(graph), "street")
    surfaces = (road_surface(graph, 0), road_surface(graph, 1))
    above = bool(rng.random() < 0.35)
    return Plan(graph, domain, regions, river, railway, above, rings, surfaces)


def _local_roads(
    settings: WorldSettings,
    character: Character,
    regions: list[tuple[BaseGeometry, str]],
    spine: list[Road],
    rng: np.random.Generator,
) -> list[Road]:
    """The streets of every region, just long enough to meet the main road between them."""
    density = max(settings.junction_density, 0.1)
    loss = settings.dead_end_share
    terms = Terms(settings.side_m, character.heading, density, loss, character.alleys)
    roads: list[Road] = []
    for region, style in regions:
        inside = clipped(PLANS[style](rng, terms), shapely.buffer(region, 0.5))
        roads += declutter(inside, spine)
    return roads


def _draw_widths(settings: WorldSettings, rng: np.random.Generator) -> dict[str, float]:
    widths = {name: float(rng.uniform(*traits.width_m)) for name, traits in ROAD_CLASSES.items()}
    if rng.random() < settings.wide_motorway_share:
        widths["motorway"] = float(rng.uniform(*WIDE_MOTORWAY_M))
    return widths


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
