"""Painting lots: lawns and yards that differ from neighbour to neighbour, drives and pools."""

from __future__ import annotations

import cv2
import networkx as nx
import numpy as np

from roadex.world.buildings import Building, house_on
from roadex.world.frame import draw_lines, fill_corners
from roadex.world.landuse import KINDS, UseMap
from roadex.world.lots import Lot, Neighbourhood, stations
from roadex.world.scene import Scene
from roadex.world.texture import Colour, between, choose, jitter, scaled


def paint_lots(
    scene: Scene, lots: list[Lot], habit: Neighbourhood, rng: np.random.Generator
) -> list[Building]:
    """Paint the ground of lots; returns the buildings that stand on them."""
    ground = scene.canvas.copy()
    for lot in lots:
        quad = lot.quad(0, 0, lot.width_m, lot.depth_m)
        fill_corners(ground, quad, _cover(scene, rng), scene.frame)
    scene.canvas[:] = cv2.addWeighted(scene.canvas, 0.45, ground, 0.55, 0)
    palette = scene.character.climate.roofs
    chosen = rng.choice(len(palette), size=min(5, len(palette)), replace=False)
    local = tuple(palette[int(i)] for i in chosen)
    buildings: list[Building] = []
    for lot in lots:
        built = rng.random() < min(1.0, 0.93 * scene.settings.building_density)
        parts = house_on(lot, habit, scene.ground, local, rng) if built else []
        buildings += parts
        _paint_front(scene, lot, habit, bool(parts), rng)
        _paint_back(scene, lot, habit, rng)
    return buildings


def _cover(scene: Scene, rng: np.random.Generator) -> Colour:
    climate = scene.character.climate
    low, high = climate.lawn if rng.random() < 0.75 else climate.soil
    return jitter(rng, between(low, high, rng.random()), 8)


def _paint_front(
    scene: Scene, lot: Lot, habit: Neighbourhood, built: bool, rng: np.random.Generator
) -> None:
    """A drive from the road to the house or past it, and a path to the door."""
    if not built:
        return
    slab = jitter(rng, scene.character.concrete, 12)
    if rng.random() < 0.65:
        drive = jitter(rng, scene.character.asphalt, 8) if rng.random() < 0.35 else slab
        across = rng.choice([-1, 1]) * (lot.width_m / 2 - 1.7)
        length = habit.verge + habit.setback + rng.uniform(1, 12)
        quad = lot.quad(across, -habit.verge, rng.uniform(2.4, 3.4), length)
        fill_corners(scene.canvas, quad, drive, scene.frame)
    if rng.random() < 0.6:
        path = lot.quad(rng.uniform(-2, 2), -1.0, 1.0, habit.setback + 1.5)
        fill_corners(scene.canvas, path, slab, scene.frame)


def _paint_back(scene: Scene, lot: Lot, habit: Neighbourhood, rng: np.random.Generator) -> None:
    """A patio, beds, fences and hedges, sometimes a pool."""
    behind = habit.setback + habit.depth[1] - rng.uniform(0, 3)
    if rng.random() < 0.5:
        patio = jitter(rng, scaled(scene.character.concrete, 0.9), 14)
        box = lot.quad(rng.uniform(-2, 2), behind, rng.uniform(3, 6), rng.uniform(3, 7))
        fill_corners(scene.canvas, box, patio, scene.frame)
    if rng.random() < 0.6:
        bed = jitter(rng, choose(rng, scene.character.climate.soil), 12)
        box = lot.quad(rng.uniform(-3, 3), behind + 5, rng.uniform(2, 6), rng.uniform(2, 8))
        fill_corners(scene.canvas, box, bed, scene.frame)
    if rng.random() < 0.04:
        _paint_pool(scene, lot, rng)
    if rng.random() < 0.7:
        _paint_fence(scene, lot, habit, rng)


def _paint_fence(scene: Scene, lot: Lot, habit: Neighbourhood, rng: np.random.Generator) -> None:
    """The border to the next lot and the one behind: a fence, or a hedge with a shadow."""
    side = lot.width_m / 2
    line = np.array(
        [
            lot.point(side, habit.setback),
            lot.point(side, lot.depth_m),
            lot.point(-side, lot.depth_m),
        ]
    )
    if rng.random() < 0.3:
        green = jitter(rng, scaled(scene.character.climate.crown[0][0], 1.1), 6)
        draw_lines(scene.canvas, [line], green, scene.frame, 0.9)
        draw_lines(scene.heights, [line], 1.4, scene.frame, 0.9)
    else:
        draw_lines(scene.canvas, [line], jitter(rng, (112, 104, 94), 14), scene.frame, 0.15)


def _paint_pool(scene: Scene, lot: Lot, rng: np.random.Generator) -> None:
    size = rng.uniform(3.5, 5.0), rng.uniform(5.5, 9.0)
    place = rng.uniform(-2, 2), lot.depth_m - size[1] - 3
    rim = lot.quad(place[0], place[1] - 0.8, size[0] + 1.6, size[1] + 1.6)
    if scene.ground.try_quad(rim):
        fill_corners(scene.canvas, rim, jitter(rng, scene.character.concrete, 6), scene.frame)
        water = jitter(rng, (88, 140, 156), 12)
        fill_corners(scene.canvas, lot.quad(*place, *size), water, scene.frame)


def paint_garages(
    scene: Scene, graph: nx.MultiGraph, uses: UseMap, rng: np.random.Generator
) -> list[Building]:
    """Aprons along the service lanes behind houses; returns the garages that stand on them."""
    garages: list[Building] = []
    share = 0.8 * scene.settings.building_density
    for *_, data in graph.edges(data=True):
        if data["road_class"] != "service":
            continue
        spacing = rng.uniform(8, 11)
        places = stations(data["geometry"], data["width_m"], spacing, 10.0)
        centres = places.at + 8 * places.out
        wanted = uses.at(centres) == KINDS.index("residential")
        for i in np.flatnonzero(wanted & (rng.random(len(wanted)) < share)):
            front = places.at[i] + places.half_width_m * places.out[i]
            lot = Lot(front, places.along[i], places.out[i], spacing, 9.0)
            garages += _garage(scene, lot, rng)
    return garages


def _garage(scene: Scene, lot: Lot, rng: np.random.Generator) -> list[Building]:
    width, depth = rng.uniform(4, 7.5), rng.uniform(5.5, 7.5)
    corners = lot.quad(rng.uniform(-0.6, 0.6), rng.uniform(2.2, 3.2), width, depth)
    if not scene.ground.try_quad(corners):
        return []
    apron = jitter(rng, scene.character.concrete, 12)
    fill_corners(scene.canvas, lot.quad(0, -0.5, width, 4.0), apron, scene.frame)
    colour = jitter(rng, choose(rng, scene.character.climate.roofs), 10)
    roof = str(rng.choice(["gable", "hip", "flat"], p=[0.5, 0.25, 0.25]))
    return [Building(corners, rng.uniform(2.6, 3.4), roof, colour)]
