"""One synthetic tile: the picture, the road surface and the road graph."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.data.synthetic.buildings import Building, halls_in, paint_building
from roadex.data.synthetic.canopy import paint_canopy
from roadex.data.synthetic.character import draw_character
from roadex.data.synthetic.farms import paint_farms
from roadex.data.synthetic.frame import Canvas, Frame
from roadex.data.synthetic.gardens import paint_garages, paint_lots
from roadex.data.synthetic.ground import paint_ground
from roadex.data.synthetic.landuse import Block, UseMap, draw_blocks
from roadex.data.synthetic.light import lit, shade, shadows
from roadex.data.synthetic.lots import Neighbourhood, draw_lots
from roadex.data.synthetic.markings import paint_markings
from roadex.data.synthetic.network import clip_network
from roadex.data.synthetic.occupancy import Occupancy
from roadex.data.synthetic.parks import paint_parks
from roadex.data.synthetic.pavement import (
    paint_railway,
    paint_roads,
    raise_decks,
)
from roadex.data.synthetic.plan import draw_plan
from roadex.data.synthetic.scene import Scene
from roadex.data.synthetic.sensor import expose
from roadex.data.synthetic.settings import WorldSettings
from roadex.data.synthetic.surface import road_mask, road_surface
from roadex.data.synthetic.texture import TextureBank, blend
from roadex.data.synthetic.trees import Trees, draw_trees
from roadex.data.synthetic.vehicles import Car, draw_traffic, paint_car_parks, paint_cars
from roadex.data.synthetic.water import draw_ponds, paint_water
from roadex.data.synthetic.yards import draw_containers, paint_yards
from roadex.errors import RoadexError


@dataclass(frozen=True)
class SyntheticTile:
    """A picture with its whole truth.

    `image` is RGB (H, W, 3); `mask` (H, W) is the road surface, seen or hidden. `graph` is in
    metres in the image frame (x right, y down), its edges have `road_class`, `width_m` and
    `layer` (layers cross on bridges), and dead ends with a turning circle `turning_radius_m`.
    `contents` counts what the tile holds besides.
    """

    image: Canvas
    mask: NDArray[np.bool_]
    graph: nx.MultiGraph
    gsd: float
    contents: dict[str, int]


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
    contents = _paint(scene, rngs)
    graph = clip_network(plan.graph, frame.side_m)
    image = expose(scene.canvas.astype(np.float32), settings, rngs[5])
    return SyntheticTile(image, road_mask(plan.graph, frame), graph, settings.gsd, contents)


def _open_scene(
    settings: WorldSettings, traits: np.random.Generator, layout: np.random.Generator
) -> Scene:
    character = draw_character(settings, traits)
    plan = draw_plan(settings, character, layout)
    frame = Frame(settings.size_px, settings.gsd)
    taken = Occupancy(plan.domain)
    for layer in (0, 1):
        taken.take_shape(road_surface(plan.graph, layer, wider_m=2.0))
    taken.take_shape(plan.river)
    if plan.railway is not None:
        taken.take_shape(shapely.LineString(plan.railway).buffer(7))
    canvas = np.zeros((*frame.shape, 3), dtype=np.uint8)
    heights = np.zeros(frame.shape, dtype=np.float32)
    bank = TextureBank(traits, frame)
    return Scene(settings, character, plan, frame, bank, taken, canvas, heights)


def _paint(scene: Scene, rngs: list[np.random.Generator]) -> dict[str, int]:
    """Paint everything, from the ground up; returns counts of what there is."""
    blocks = draw_blocks(scene.plan, rngs[2])
    uses = UseMap(scene.plan, blocks)
    ponds = draw_ponds(blocks, scene.settings.pond_share, rngs[2])
    paint_ground(scene, blocks, rngs[2])
    for pond in ponds:
        scene.ground.take_shape(pond)
    habit = Neighbourhood.draw(rngs[3])
    lots = draw_lots(scene.plan.graph, uses, scene.ground, habit, rngs[3])
    buildings = paint_lots(scene, lots, habit, rngs[3])
    paint_parks(scene, blocks, rngs[3])
    paint_yards(scene, blocks, rngs[3])
    buildings += paint_garages(scene, scene.plan.graph, uses, rngs[3])
    buildings += paint_farms(scene, uses, rngs[3])
    water = paint_water(scene, [scene.plan.river, *ponds], rngs[2])
    scene.heights[water > 0.5] = 0  # hedges of gardens that end in it
    halls = _draw_halls(scene, blocks, rngs[3])
    car_parks, cars = paint_car_parks(scene, blocks, rngs[3])
    halls += draw_containers(scene, blocks, rngs[3])
    paint_railway(scene, rngs[4])
    _paint_all_roads(scene, cars, rngs[4])
    _paint_buildings(scene, buildings + halls, rngs[3])
    trees = draw_trees(scene, blocks, uses, ponds, rngs[5])
    _light(scene, trees, blocks, rngs[5])
    return {
        "buildings": len(buildings) + len(halls),
        "car_parks": car_parks,
        "trees": len(trees.at),
        "roundabouts": len(scene.plan.rings),
        "railways": int(scene.plan.railway is not None),
        "water_px": int(np.count_nonzero(water > 0.5)),
        "fields": sum(block.use == "field" for block in blocks),
        "woods": sum(block.use == "woodland" for block in blocks),
    }


def _draw_halls(scene: Scene, blocks: list[Block], rng: np.random.Generator) -> list[Building]:
    tries = round(40 * scene.settings.building_density)
    halls: list[Building] = []
    for block in blocks:
        if block.use == "commercial":
            halls += halls_in(block, scene.character, scene.ground, tries, rng)
    return halls


def _paint_all_roads(scene: Scene, parked: list[Car], rng: np.random.Generator) -> None:
    upper = 1 if scene.plan.motorway_above else 0
    for layer in (1 - upper, upper):
        paint_markings(scene, paint_roads(scene, layer, rng), layer, rng)
    paint_cars(scene, parked, rng)
    paint_cars(scene, draw_traffic(scene.plan.graph, scene.settings.traffic, rng), rng)
    raise_decks(scene, upper)


def _paint_buildings(scene: Scene, buildings: list[Building], rng: np.random.Generator) -> None:
    roofs = np.zeros(scene.frame.shape, dtype=np.uint8)
    for building in buildings:
        paint_building(
            scene.canvas, roofs, scene.heights, building, scene.character, scene.frame, rng
        )
    rough = scene.bank.mix(clumpy=0.02, small=0.03, fine=0.03)
    factor = 1 + rough * roofs.astype(np.float32) * np.float32(1 / 255)
    scene.canvas[:] = np.clip(scene.canvas * factor[..., None], 0, 255).astype(np.uint8)


def _light(scene: Scene, trees: Trees, blocks: list[Block], rng: np.random.Generator) -> None:
    """Grow the crowns over everything and let the sun cast shadows."""
    frame = scene.frame
    canopy = paint_canopy(scene, trees, blocks, rng)
    image = scene.canvas.astype(np.float32)
    opaque = canopy.heights * (canopy.cover > 0.9)
    below = shadows(np.maximum(scene.heights, opaque), scene.character, frame)
    crowns = canopy.colours * shade(canopy.heights, scene.character, frame)[..., None]
    crowns *= (1 + scene.bank.mix(small=0.14, clumpy=0.06, fine=0.14))[..., None]
    thin = 0.35 + 0.5 * scene.bank.field("small")
    cover = np.where(canopy.cover < 0.9, np.clip(canopy.cover * (0.6 + thin), 0, 0.9), canopy.cover)
    blend(image, crowns, cover.astype(np.float32))
    image *= 1 + np.float32(rng.uniform(0.01, 0.06)) * scene.bank.field("fine")[..., None]
    image = lit(image, below, float(rng.uniform(0.5, 0.8)))
    scene.canvas[:] = np.clip(image, 0, 255).astype(np.uint8)
