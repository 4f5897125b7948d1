"""Open ground and water: meadows, lawns, soil and the floor of woods; rivers and ponds."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from roadex.world.character import Climate
from roadex.world.fields import paint_fields
from roadex.world.frame import Sheet, coverage, polygons_of
from roadex.world.landuse import Block
from roadex.world.scene import Scene, lay, overlay
from roadex.world.texture import TextureBank, between, blend, blurred, choose, jitter, ramp, scaled

Image = NDArray[np.float32]


def paint_ground(scene: Scene, blocks: list[Block], rng: np.random.Generator) -> None:
    """Paint the bare ground of every block."""
    climate, bank = scene.character.climate, scene.bank
    image = _meadow(climate, bank)
    for use in sorted({block.use for block in blocks} & set(_COVERS)):
        shapes = [block.shape for block in blocks if block.use == use]
        blend(image, _COVERS[use](climate, bank), coverage(shapes, scene.frame))
    paint_fields(image, scene, blocks, rng)
    scene.canvas[:] = cv2.convertScaleAbs(image)


def _meadow(climate: Climate, bank: TextureBank) -> Image:
    amount = 0.5 + bank.mix(broad=0.2, patchy=0.14, clumpy=0.1, small=0.12, fine=0.16)
    return ramp(*climate.wild, amount)


def _lawn(climate: Climate, bank: TextureBank) -> Image:
    amount = 0.45 + bank.mix(broad=0.18, patchy=0.14, clumpy=0.07, small=0.12, fine=0.16)
    return ramp(*climate.lawn, amount)


def _garden(climate: Climate, bank: TextureBank) -> Image:
    image = _lawn(climate, bank)
    soil = ramp(*climate.soil, 0.4 + bank.mix(patchy=0.2, small=0.15, fine=0.1))
    blend(image, soil, np.clip(bank.mix(patchy=0.35, clumpy=0.3) - 0.15, 0, 0.8))
    return image


def _bare(climate: Climate, bank: TextureBank) -> Image:
    amount = 0.5 + bank.mix(broad=0.25, patchy=0.16, clumpy=0.1, small=0.12, fine=0.14)
    return ramp(*climate.soil, amount)


def _forest_floor(climate: Climate, bank: TextureBank) -> Image:
    return ramp(
        scaled(climate.wild[0], 0.75),
        climate.soil[0],
        0.3 + bank.mix(patchy=0.2, clumpy=0.2, small=0.15, fine=0.1),
    )


_COVERS: dict[str, Callable[[Climate, TextureBank], Image]] = {
    "residential": _garden,
    "park": _lawn,
    "woodland": _forest_floor,
    "bare": _bare,
}


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
