"""Commercial ground: concrete, asphalt and gravel yards, strips of lawn, containers."""

from __future__ import annotations

import numpy as np
import shapely

from roadex.data.synthetic.buildings import Building
from roadex.data.synthetic.colours import Colour, jitter, scaled
from roadex.data.synthetic.frame import FloatArray, coverage, draw_lines
from roadex.data.synthetic.landuse import Block, halve_until
from roadex.data.synthetic.scene import Scene, lay

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


def _slabs(part: shapely.Polygon, rng: np.random.Generator) -> list:
    """Joints between slabs of concrete, in both directions."""
    corners = _corners(part)
    lines = []
    for a, b, c in ((0, 1, 3), (0, 3, 1)):
        across = corners[b] - corners[a]
        count = int(np.hypot(*across) / rng.uniform(6, 12))
        for share in np.linspace(0, 1, max(count, 2))[1:-1]:
            start = corners[a] + share * across
            lines.append(shapely.LineString([start, start + corners[c] - corners[a]]))
    return list(shapely.get_parts(shapely.intersection(lines, part)))


def _corners(part: shapely.Polygon) -> FloatArray:
    corners: FloatArray = shapely.get_coordinates(shapely.minimum_rotated_rectangle(part))[:4]
    return corners


def draw_containers(scene: Scene, blocks: list[Block], rng: np.random.Generator) -> list[Building]:
    """Rows of containers and trailers on free ground of commercial blocks."""
    boxes: list[Building] = []
    for block in blocks:
        if block.use != "commercial" or block.shape.area < 1500:
            continue
        corners = _corners(block.shape)
        sides = np.stack([corners[1] - corners[0], corners[3] - corners[0]])
        along, out = sides / np.maximum(np.hypot(*sides.T), 1e-9)[:, None]
        for _ in range(rng.poisson(4 * scene.settings.building_density)):
            start = corners[0] + rng.uniform(0, 1, 2) @ sides
            boxes += _row(scene, block, start, along, out, rng)
    return boxes


def _row(
    scene: Scene,
    block: Block,
    start: FloatArray,
    along: FloatArray,
    out: FloatArray,
    rng: np.random.Generator,
) -> list[Building]:
    length, gap = rng.choice([6.1, 12.2]), rng.choice([0.2, 1.2])
    white = rng.random() < 0.5
    boxes = []
    for place in range(int(rng.integers(2, 12))):
        first = start + place * (2.5 + gap) * along
        step, depth = 2.5 * along, length * out
        corners = np.array([first, first + step, first + step + depth, first + depth])
        inside = block.shape.contains(shapely.Polygon(corners))
        if inside and rng.random() < 0.8 and scene.ground.try_quad(corners):
            base = (200.0, 200.0, 198.0) if white else _BOXES[int(rng.integers(len(_BOXES)))]
            boxes.append(Building(corners, 2.7, "plain", jitter(rng, base, 10)))
    return boxes
