"""Car parks, in the same asphalt as roads: the classic false road."""

from __future__ import annotations

import numpy as np
import shapely

from roadex.world.colours import Colour, scaled
from roadex.world.frame import FloatArray, fill_corners
from roadex.world.landuse import Block
from roadex.world.scene import Scene
from roadex.world.shapes import Axes, parallelogram
from roadex.world.vehicles import Car, draw_car

_BAY_M = 2.6
_ROW_M = 16.5  # two rows of bays and the lane between them
_LINE: Colour = (178, 177, 172)


def paint_car_parks(
    scene: Scene, blocks: list[Block], rng: np.random.Generator
) -> tuple[int, list[Car]]:
    """Lay car parks in commercial blocks.

    Returns:
        How many, and the cars that stand in them.
    """
    count = 0
    cars: list[Car] = []
    for block in blocks:
        if block.use != "commercial":
            continue
        axes = Axes.around(block.shape)
        for _ in range(round(36 * scene.settings.car_park_density)):
            parked = _try_car_park(scene, block, axes, rng)
            if parked is not None:
                count, cars = count + 1, cars + parked
    return count, cars


def _try_car_park(
    scene: Scene, block: Block, axes: Axes, rng: np.random.Generator
) -> list[Car] | None:
    start = axes.point_in(rng, 0.9)
    rows, bays = int(rng.integers(1, 4)), int(rng.integers(5, 22))
    quad = axes.quad(start, bays * _BAY_M + 2, rows * _ROW_M)
    if not block.shape.contains(shapely.Polygon(quad)) or not scene.ground.try_quad(quad):
        return None
    colour = scaled(scene.character.asphalt, rng.uniform(0.85, 1.15))
    fill_corners(scene.canvas, quad, colour, scene.frame)
    full = rng.uniform(0.1, 0.9)
    cars: list[Car] = []
    along, out = axes.units
    for row in range(rows):
        for offset, facing in ((2.6, 1), (13.4, -1)):
            first = start + along + (_ROW_M * row + offset) * out
            _paint_lines(scene, first, along, facing * out, bays)
            taken = np.flatnonzero(rng.random(bays) < full)
            places = [first + (bay + 0.5) * _BAY_M * along for bay in taken]
            cars += [draw_car(place, facing * out, rng) for place in places]
    return cars


def _paint_lines(
    scene: Scene, first: FloatArray, along: FloatArray, out: FloatArray, bays: int
) -> None:
    for bay in range(bays + 1):
        start = first + bay * _BAY_M * along - 2.4 * out
        box = parallelogram(start, 0.22 * along, 4.8 * out)
        fill_corners(scene.canvas, box, _LINE, scene.frame)
