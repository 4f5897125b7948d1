"""Commercial ground: concrete, asphalt and gravel yards, strips of lawn, containers."""

from __future__ import annotations

import numpy as np
import shapely

from roadex.world.buildings import Building
from roadex.world.colours import Colour, choose, jitter, scaled
from roadex.world.frame import coverage, draw_lines
from roadex.world.landuse import Block, halve_until
from roadex.world.scene import Scene, lay
from roadex.world.shapes import Axes

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
