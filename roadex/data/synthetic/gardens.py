"""Painting lots: lawns and yards that differ from neighbour to neighbour, drives and pools."""

from __future__ import annotations

import numpy as np

from roadex.data.synthetic.buildings import Building, house_on
from roadex.data.synthetic.character import jitter
from roadex.data.synthetic.frame import Colour, draw_lines, fill_corners
from roadex.data.synthetic.lots import Lot, Neighbourhood
from roadex.data.synthetic.scene import Scene


def paint_lots(
    scene: Scene, lots: list[Lot], habit: Neighbourhood, rng: np.random.Generator
) -> list[Building]:
    """Paint the ground of lots; returns the buildings that stand on them."""
    ground = scene.canvas.copy()
    for lot in lots:
        fill_corners(ground, lot.quad(0, 0, lot.width_m, lot.depth_m), _cover(scene, rng), scene.frame)
    scene.canvas[:] = (0.45 * scene.canvas + 0.55 * ground).astype(np.uint8)
    palette = scene.character.climate.roofs
    chosen = rng.choice(len(palette), size=min(5, len(palette)), replace=False)
    local = tuple(palette[int(i)] for i in chosen)
    buildings: list[Building] = []
    for lot in lots:
        house = rng.random() < min(1.0, 0.93 * scene.settings.building_density)
        parts = house_on(lot, habit.setback, scene.ground, local, rng) if house else []
        buildings += parts
        _paint_yard(scene, lot, habit, bool(parts), rng)
    return buildings


def _cover(scene: Scene, rng: np.random.Generator) -> Colour:
    climate = scene.character.climate
    low, high = climate.lawn if rng.random() < 0.75 else climate.soil
    share = rng.random()
    return jitter(rng, tuple(a + (b - a) * share for a, b in zip(low, high, strict=True)), 8)


def _paint_yard(
    scene: Scene, lot: Lot, habit: Neighbourhood, built: bool, rng: np.random.Generator
) -> None:
    if built and rng.random() < 0.7:
        drive = jitter(rng, scene.character.concrete, 12)
        if rng.random() < 0.35:
            drive = jitter(rng, scene.character.asphalt, 8)
        across = rng.choice([-1, 1]) * (lot.width_m / 2 - 1.7)
        length = habit.verge + habit.setback + rng.uniform(1, 12)
        fill_corners(scene.canvas, lot.quad(across, -habit.verge, 2.8, length), drive, scene.frame)
    if rng.random() < 0.4:
        patio = jitter(rng, scene.character.concrete, 12)
        box = lot.quad(rng.uniform(-2, 2), habit.setback + 12, rng.uniform(3, 6), rng.uniform(3, 7))
        fill_corners(scene.canvas, box, patio, scene.frame)
    if rng.random() < 0.07:
        _paint_pool(scene, lot, rng)
    if rng.random() < 0.5:
        side = lot.width_m / 2
        fence = np.array([lot.point(side, habit.setback), lot.point(side, lot.depth_m)])
        draw_lines(scene.canvas, [fence], jitter(rng, (112, 104, 94), 14), scene.frame, 0.15)


def _paint_pool(scene: Scene, lot: Lot, rng: np.random.Generator) -> None:
    size = rng.uniform(3.5, 5.0), rng.uniform(5.5, 9.0)
    place = rng.uniform(-2, 2), lot.depth_m - size[1] - 3
    rim = lot.quad(place[0], place[1] - 0.8, size[0] + 1.6, size[1] + 1.6)
    if scene.ground.try_quad(rim):
        fill_corners(scene.canvas, rim, jitter(rng, scene.character.concrete, 6), scene.frame)
        water = jitter(rng, (72, 152, 176), 10)
        fill_corners(scene.canvas, lot.quad(*place, *size), water, scene.frame)
