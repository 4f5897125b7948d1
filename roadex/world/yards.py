"""Commercial ground: yards, containers, and car parks.

Car parks have the same asphalt as roads: the classic false road.
"""

from __future__ import annotations

import numpy as np
import shapely

from roadex.world.buildings import Building
from roadex.world.frame import FloatArray, coverage, draw_lines, fill_corners
from roadex.world.landuse import Block, halve_until
from roadex.world.scene import Scene, lay
from roadex.world.shapes import Axes, parallelogram
from roadex.world.texture import Colour, choose, jitter, scaled
from roadex.world.vehicles import Car, draw_car

_BOXES: tuple[Colour, ...] = (
    (150, 70, 54),
    (66, 92, 128),
    (160, 152, 140),
    (92, 110, 84),
    (196, 194, 188),
    (178, 128, 62),
)


def paint_yards(scene: Scene, blocks: list[Block], rng: np.random.Generator) -> None:
    """Part commercial blocks into yards of different surfaces, with lawn along their rim."""
    for block in blocks:
        if block.use != "commercial":
            continue
        rim = rng.uniform(1.5, 6.0)
        inner = block.shape.buffer(-rim, join_style="mitre")
        lay(scene, coverage([block.shape], scene.frame), jitter(rng, _lawn(scene), 6), 0.85, 2.0)
        usual = _surface(scene, rng)
        for part in halve_until([inner], rng.uniform(1800, 9000), rng):
            _paint_yard(scene, part, usual if rng.random() < 0.6 else _surface(scene, rng), rng)


def _lawn(scene: Scene) -> Colour:
    return scene.character.climate.lawn[0]


def _paint_yard(
    scene: Scene, part: shapely.Polygon, usual: Colour, rng: np.random.Generator
) -> None:
    surface = jitter(rng, usual, 6)
    alpha = coverage([part.buffer(-rng.uniform(0, 1.2))], scene.frame)
    lay(scene, alpha, surface, rng.uniform(0.8, 1.0), rng.uniform(0.6, 1.4))
    seams = _slabs(part, rng) if rng.random() < 0.35 else []
    inside = [shapely.get_coordinates(s) for s in seams if s.geom_type == "LineString"]
    draw_lines(scene.canvas, inside, scaled(surface, 0.88), scene.frame, 0.1)


def _surface(scene: Scene, rng: np.random.Generator) -> Colour:
    character = scene.character
    tones = (character.asphalt, character.concrete, character.climate.soil[1], _lawn(scene))
    return tones[int(rng.choice(4, p=[0.42, 0.32, 0.16, 0.1]))]


def _slabs(part: shapely.Polygon, rng: np.random.Generator) -> list[shapely.Polygon]:
    """Joints between slabs of concrete, in both directions."""
    axes = Axes.around(part)
    lines = []
    for across, along in ((axes.sides[0], axes.sides[1]), (axes.sides[1], axes.sides[0])):
        count = int(np.hypot(*across) / rng.uniform(6, 12))
        for share in np.linspace(0, 1, max(count, 2))[1:-1]:
            start = axes.corner + share * across
            lines.append(shapely.LineString([start, start + along]))
    return list(shapely.get_parts(shapely.intersection(lines, part))) if lines else []


def draw_containers(scene: Scene, blocks: list[Block], rng: np.random.Generator) -> list[Building]:
    """Rows of containers and trailers on free ground of commercial blocks."""
    boxes: list[Building] = []
    for block in blocks:
        if block.use != "commercial" or block.shape.area < 1500:
            continue
        axes = Axes.around(block.shape)
        for _ in range(rng.poisson(4 * scene.settings.building_density)):
            boxes += _row(scene, block, axes, rng)
    return boxes


def _row(scene: Scene, block: Block, axes: Axes, rng: np.random.Generator) -> list[Building]:
    start = axes.point_in(rng)
    length, gap = rng.choice([6.1, 12.2]), rng.choice([0.2, 1.2])
    white = rng.random() < 0.5
    boxes = []
    for place in range(int(rng.integers(2, 12))):
        first = start + place * (2.5 + gap) * axes.units[0]
        corners = axes.quad(first, 2.5, length)
        inside = block.shape.contains(shapely.Polygon(corners))
        if inside and rng.random() < 0.8 and scene.ground.try_quad(corners):
            base = (200.0, 200.0, 198.0) if white else choose(rng, _BOXES)
            boxes.append(Building(corners, 2.7, "plain", jitter(rng, base, 10)))
    return boxes


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
