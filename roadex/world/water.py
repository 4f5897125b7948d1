"""Rivers and ponds, and the ground at their shores."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from roadex.world.colours import between, choose, jitter, scaled
from roadex.world.frame import Sheet, coverage, polygons_of
from roadex.world.landuse import Block
from roadex.world.scene import Scene, lay, overlay
from roadex.world.texture import blurred, ramp


def draw_ponds(blocks: list[Block], share: float, rng: np.random.Generator) -> list[BaseGeometry]:
    """At most one pond, within an open block that has room for it."""
    roomy = [b for b in blocks if b.use in ("field", "park", "scrub", "woodland", "bare")]
    inner = [shape for b in roomy for shape in polygons_of([b.shape.buffer(-14)])]
    inner = [shape for shape in inner if shape.area > 250]
    if rng.random() >= share or not inner:
        return []
    shape = inner[int(rng.integers(len(inner)))]
    centre = shape.representative_point()
    radii = rng.uniform(8, 34) * (1 + 0.25 * _round_noise(rng, 40))
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.column_stack([radii * np.cos(angles), 0.7 * radii * np.sin(angles)])
    pond = shapely.Polygon(ring + np.array([centre.x, centre.y])).buffer(0)
    return [affinity.rotate(pond, rng.uniform(0, 180)).intersection(shape)]


def _round_noise(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    waves = [rng.normal() * np.cos(k * angles + rng.uniform(0, 6.3)) / k for k in (1, 2, 3, 4)]
    result: NDArray[np.float64] = np.sum(waves, axis=0)
    return result


def paint_water(scene: Scene, water: list[BaseGeometry], rng: np.random.Generator) -> Sheet:
    """Paint water and its banks; returns how much of each pixel it covers."""
    frame, bank, climate = scene.frame, scene.bank, scene.character.climate
    alpha = coverage(water, frame)
    if not alpha.any():
        return alpha
    shore = blurred(alpha, 3.5 / frame.gsd)
    ragged = np.float32(2.4) * shore + np.float32(0.35) * bank.field("clumpy")
    rough = np.clip(ragged - np.float32(0.3), 0, 1)
    water_colour = jitter(rng, choose(rng, climate.water), 6)
    bank_colour = scaled(between(water_colour, climate.wild[0], 0.4), 0.9)
    lay(scene, rough, bank_colour, 0.75, 2.0)
    tone = 0.5 + bank.mix(wide=0.12, broad=0.1, small=0.04, fine=0.03)
    overlay(scene, ramp(scaled(water_colour, 0.88), scaled(water_colour, 1.12), tone), alpha)
    return alpha
