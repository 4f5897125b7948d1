"""One synthetic tile, painted from the ground up: picture, road surface and road graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadex.config.world import WorldSettings
from roadex.errors import RoadexError
from roadex.world.buildings import Building, halls_in, paint_buildings
from roadex.world.character import draw_character
from roadex.world.fields import paint_farms
from roadex.world.frame import Canvas, Frame, coverage
from roadex.world.gardens import paint_garages, paint_lots
from roadex.world.ground import draw_ponds, paint_ground, paint_water
from roadex.world.landuse import Block, UseMap, draw_blocks
from roadex.world.light import expose, lit, shade, shadows
from roadex.world.lots import Neighbourhood, draw_lots
from roadex.world.network import clip_network
from roadex.world.parks import paint_parks
from roadex.world.pavement import paint_markings, paint_railway, paint_roads, raise_decks
from roadex.world.plan import draw_plan
from roadex.world.scene import Occupancy, Scene
from roadex.world.texture import TextureBank, blend
from roadex.world.trees import Trees, draw_trees, paint_canopy
from roadex.world.vehicles import Car, draw_traffic, paint_cars
from roadex.world.yards import draw_containers, paint_car_parks, paint_yards


@dataclass(frozen=True)
class SyntheticTile:
    """A picture with all its labels.

    `image` is RGB (H, W, 3); `mask` (H, W) is the road surface, seen or hidden. `graph` is in
    metres in the image frame (x right, y down), its edges have `road_class`, `width_m` and
    `layer` (layers cross on bridges), and dead ends with a turning circle `turning_radius_m`.
    `by_class` is the same with a node wherever the class of the road changes.
    `contents` counts what the tile holds besides.
    """

    image: Canvas
    mask: NDArray[np.bool_]
    graph: nx.MultiGraph
    gsd: float
    contents: dict[str, int]
    by_class: nx.MultiGraph


def make_tile(settings: WorldSettings, seed: int, index: int) -> SyntheticTile:
    """Make tile `index` of the world `seed`; the same bytes on every call and in any process.

    Raises:
        RoadexError: the settings are out of range, or the seed or index is negative.
    """
    settings.check()
    if seed < 0 or index < 0:
        raise RoadexError(f"seed={seed}, index={index}: neither may be negative")
    rngs = np.random.default_rng([seed, index]).spawn(6)
    scene = _open_scene(settings, rngs[0], rngs[1])
    frame, plan = scene.frame, scene.plan
    contents = paint_scene(scene, rngs[2:])
    graph = clip_network(plan.graph, frame.side_m)
    by_class = clip_network(plan.graph, frame.side_m, ["road_class"])
    image = expose(scene.canvas.astype(np.float32), settings, rngs[5])
    mask = coverage(plan.surfaces, frame, scale=4) >= 0.5
    return SyntheticTile(image, mask, graph, settings.gsd, contents, by_class)


def _open_scene(
    settings: WorldSettings, traits: np.random.Generator, layout: np.random.Generator
) -> Scene:
    character = draw_character(settings, traits)
    plan = draw_plan(settings, character, layout)
    frame = Frame(settings.size_px, settings.gsd)
    taken = Occupancy(plan.domain)
    for surface in plan.surfaces:
        taken.take_shape(surface.buffer(2.0, quad_segs=2))
    taken.take_shape(plan.river)
    if plan.railway is not None:
        taken.take_shape(shapely.LineString(plan.railway).buffer(7))
    canvas = np.zeros((*frame.shape, 3), dtype=np.uint8)
    heights = np.zeros(frame.shape, dtype=np.float32)
    bank = TextureBank(traits, frame)
    return Scene(settings, character, plan, frame, bank, taken, canvas, heights)


def paint_scene(scene: Scene, rngs: Sequence[np.random.Generator]) -> dict[str, int]:
    """Paint everything that a plan calls for.

    `rngs` are for the ground, buildings, roads and plants in turn, so that a change to one leaves
    the others as they are.

    Returns:
        How many of each thing the tile has.
    """
    on_ground, on_lots, on_roads, on_plants = rngs
    blocks = draw_blocks(scene.plan, on_ground)
    uses = UseMap(scene.plan, blocks)
    ponds = draw_ponds(blocks, scene.settings.pond_share, on_ground)
    paint_ground(scene, blocks, on_ground)
    for pond in ponds:
        scene.ground.take_shape(pond)
    buildings = _settle(scene, blocks, uses, on_lots)
    water_px = _flood(scene, ponds, on_ground)
    halls, car_parks, parked = _trade(scene, blocks, on_lots)
    paint_railway(scene, on_roads)
    _pave(scene, parked, on_roads)
    paint_buildings(scene, buildings + halls, on_lots)
    trees = draw_trees(scene, blocks, uses, ponds, on_plants)
    _light(scene, trees, blocks, on_plants)
    return {
        "buildings": len(buildings) + len(halls),
        "car_parks": car_parks,
        "trees": len(trees.at),
        "roundabouts": len(scene.plan.rings),
        "railways": int(scene.plan.railway is not None),
        "water_px": water_px,
        "fields": sum(block.use == "field" for block in blocks),
        "woods": sum(block.use == "woodland" for block in blocks),
    }


def _settle(
    scene: Scene, blocks: list[Block], uses: UseMap, rng: np.random.Generator
) -> list[Building]:
    """Lots, parks, yards and farms; returns the buildings on them."""
    habit = Neighbourhood.draw(rng)
    lots = draw_lots(scene.plan.graph, uses, scene.ground, habit, rng)
    buildings = paint_lots(scene, lots, habit, rng)
    paint_parks(scene, blocks, rng)
    paint_yards(scene, blocks, rng)
    buildings += paint_garages(scene, scene.plan.graph, uses, rng)
    return buildings + paint_farms(scene, uses, rng)


def _flood(scene: Scene, ponds: list[BaseGeometry], rng: np.random.Generator) -> int:
    """Water over whatever was there; returns how many pixels it covers."""
    wet = paint_water(scene, [scene.plan.river, *ponds], rng) > 0.5
    scene.heights[wet] = 0  # hedges of gardens that end in it
    return int(np.count_nonzero(wet))


def _trade(
    scene: Scene, blocks: list[Block], rng: np.random.Generator
) -> tuple[list[Building], int, list[Car]]:
    """Halls, car parks and containers of commercial blocks: buildings, car parks, cars there."""
    tries = round(40 * scene.settings.building_density)
    halls: list[Building] = []
    for block in blocks:
        if block.use == "commercial":
            halls += halls_in(block, scene.character, scene.ground, tries, rng)
    car_parks, parked = paint_car_parks(scene, blocks, rng)
    return halls + draw_containers(scene, blocks, rng), car_parks, parked


def _pave(scene: Scene, parked: list[Car], rng: np.random.Generator) -> None:
    """Roads, the lower layer first, and all cars."""
    upper = 1 if scene.plan.motorway_above else 0
    for layer in (1 - upper, upper):
        paint_markings(scene, paint_roads(scene, layer, rng), layer, rng)
    paint_cars(scene, parked, rng)
    paint_cars(scene, draw_traffic(scene.plan.graph, scene.settings.traffic, rng), rng)
    raise_decks(scene, upper)


def _light(scene: Scene, trees: Trees, blocks: list[Block], rng: np.random.Generator) -> None:
    """Grow the crowns over everything and let the sun cast shadows."""
    canopy = paint_canopy(scene, trees, blocks, rng)
    leafy = canopy.heights * (canopy.cover > 0.9)
    shadow = shadows(np.maximum(scene.heights, leafy), scene.character, scene.frame)
    crowns = canopy.colours * shade(canopy.heights, scene.character, scene.frame)[..., None]
    crowns *= (1 + scene.bank.mix(small=0.14, clumpy=0.06, fine=0.14))[..., None]
    twigs = np.clip(canopy.cover * (0.95 + 0.5 * scene.bank.field("small")), 0, 0.9)
    cover = np.where(canopy.cover < 0.9, twigs, canopy.cover)
    image = scene.canvas.astype(np.float32)
    blend(image, crowns, cover)
    grain = np.float32(rng.uniform(0.01, 0.06)) * scene.bank.field("fine")
    image = lit(image * (1 + grain)[..., None], shadow, float(rng.uniform(0.5, 0.8)))
    scene.canvas[:] = cv2.convertScaleAbs(image)
