"""Parks and school grounds: paths, pitches and courts, none of which is a road."""

from __future__ import annotations

import numpy as np
import shapely

from roadex.world.frame import FloatArray, coverage, draw_lines, fill_corners
from roadex.world.landuse import Block
from roadex.world.scene import Scene, lay
from roadex.world.shapes import parallelogram, wander
from roadex.world.texture import Colour, between, choose, jitter

_COURTS: tuple[Colour, ...] = ((126, 84, 66), (74, 98, 84), (84, 100, 122), (110, 108, 104))


def paint_parks(scene: Scene, blocks: list[Block], rng: np.random.Generator) -> None:
    """Furnish every park that has room."""
    for block in blocks:
        if block.use == "park" and block.shape.area > 1200:
            _paint_paths(scene, block, rng)
            for _ in range(4):
                _try_pitch(scene, block, rng)


def _paint_paths(scene: Scene, block: Block, rng: np.random.Generator) -> None:
    """Winding paths from rim to rim."""
    rim = block.shape.exterior
    middle = np.array(block.shape.centroid.coords[0])
    shapes = []
    for _ in range(rng.integers(1, 4)):
        start = np.array(rim.interpolate(rng.uniform(0, rim.length)).coords[0])
        heading = float(np.arctan2(*(middle - start)[::-1])) + rng.normal(0, 0.3)
        line = shapely.LineString(wander(rng, start, heading, rng.uniform(60, 220), 0.012))
        shapes.append(line.buffer(rng.uniform(0.7, 1.4)).intersection(block.shape))
    tone = scene.character.concrete if rng.random() < 0.5 else scene.character.climate.soil[1]
    lay(scene, coverage(shapes, scene.frame), jitter(rng, tone, 8), 0.85)


def _try_pitch(scene: Scene, block: Block, rng: np.random.Generator) -> None:
    heading = scene.character.heading + np.pi / 2 * rng.integers(0, 2)
    along = np.array([np.cos(heading), np.sin(heading)])
    out = np.array([-along[1], along[0]])
    big = rng.random() < 0.4
    size = (rng.uniform(60, 100), rng.uniform(40, 64)) if big else (36.0, 18.0)
    left, top, right, bottom = block.shape.bounds
    start = np.array([rng.uniform(left, right), rng.uniform(top, bottom)])
    quad = parallelogram(start, size[0] * along, size[1] * out)
    if not block.shape.contains(shapely.Polygon(quad)) or not scene.ground.try_quad(quad):
        return
    if big:
        _mow(scene, quad, rng)
    else:
        fill_corners(scene.canvas, quad, jitter(rng, choose(rng, _COURTS), 8), scene.frame)
    middle = quad.mean(axis=0)
    lines = middle + (quad - middle) * 0.86
    halves = np.array([(lines[0] + lines[1]) / 2, (lines[2] + lines[3]) / 2])
    white = (186.0, 188.0, 182.0)
    draw_lines(scene.canvas, [np.vstack([lines, lines[:1]]), halves], white, scene.frame, 0.1)


def _mow(scene: Scene, quad: FloatArray, rng: np.random.Generator) -> None:
    """Stripes of grass mown in turns."""
    dark, light = (jitter(rng, colour, 4) for colour in scene.character.climate.lawn)
    count = int(rng.integers(6, 14))
    length = quad[1] - quad[0]
    for stripe in range(count):
        band = parallelogram(quad[0] + stripe / count * length, length / count, quad[3] - quad[0])
        colour = dark if stripe % 2 else between(dark, light, 0.4)
        fill_corners(scene.canvas, band, colour, scene.frame)
