"""Painting open ground: grass, soil, woods' floor, fields with their furrows, and water."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from roadex.data.synthetic.character import Character, Climate, jitter
from roadex.data.synthetic.frame import Colour, Frame, Sheet, coverage, polygons_of
from roadex.data.synthetic.landuse import Block
from roadex.data.synthetic.texture import TextureBank, blend, ramp

Image = NDArray[np.float32]


def paint_ground(
    blocks: list[Block],
    character: Character,
    bank: TextureBank,
    frame: Frame,
    rng: np.random.Generator,
) -> Image:
    """Colours (H, W, 3) of the bare ground of every block."""
    image = _meadow(character.climate, bank)
    for use in sorted({block.use for block in blocks} & set(_COVERS)):
        shapes = [block.shape for block in blocks if block.use == use]
        blend(image, _COVERS[use](character.climate, bank), coverage(shapes, frame))
    for block in blocks:
        if block.use == "field":
            for parcel in _parcels(block.shape, rng):
                _paint_field(image, parcel, character.climate, bank, frame, rng)
    return image


def _meadow(climate: Climate, bank: TextureBank) -> Image:
    amount = 0.5 + bank.mix(broad=0.2, patchy=0.14, clumpy=0.1, small=0.08, fine=0.06)
    return ramp(*climate.wild, amount)


def _lawn(climate: Climate, bank: TextureBank) -> Image:
    amount = 0.45 + bank.mix(broad=0.18, patchy=0.14, clumpy=0.06, small=0.06, fine=0.05)
    return ramp(*climate.lawn, amount)


def _garden(climate: Climate, bank: TextureBank) -> Image:
    image = _lawn(climate, bank)
    soil = ramp(*climate.soil, 0.4 + bank.mix(patchy=0.2, small=0.15, fine=0.1))
    blend(image, soil, np.clip(bank.mix(patchy=0.35, clumpy=0.3) - 0.15, 0, 0.8))
    return image


def _yard(climate: Climate, bank: TextureBank) -> Image:
    tone = ramp((104, 102, 98), (158, 154, 147), 0.4 + bank.mix(broad=0.22, patchy=0.12, fine=0.06))
    soil = ramp(*climate.soil, 0.5 + bank.mix(patchy=0.2, small=0.1))
    blend(tone, soil, np.clip(bank.mix(broad=0.7, patchy=0.25) - 0.35, 0, 1))
    blend(tone, _lawn(climate, bank), np.clip(3 * bank.mix(broad=0.5, patchy=0.15) - 0.9, 0, 1))
    return tone


def _bare(climate: Climate, bank: TextureBank) -> Image:
    amount = 0.5 + bank.mix(broad=0.25, patchy=0.16, clumpy=0.1, small=0.1, fine=0.06)
    return ramp(*climate.soil, amount)


def _forest_floor(climate: Climate, bank: TextureBank) -> Image:
    floor = tuple(0.75 * c for c in climate.wild[0])
    return ramp(floor, climate.soil[0], 0.3 + bank.mix(patchy=0.2, clumpy=0.2, small=0.15, fine=0.1))


_COVERS: dict[str, Callable[[Climate, TextureBank], Image]] = {
    "residential": _garden,
    "commercial": _yard,
    "park": _lawn,
    "woodland": _forest_floor,
    "bare": _bare,
}


def _parcels(block: shapely.Polygon, rng: np.random.Generator) -> list[shapely.Polygon]:
    """Fields, by halving a block until the parts have the size of one."""
    todo, done = [block], []
    limit = rng.uniform(3000, 16000)
    while todo:
        shape = todo.pop()
        if shape.area < limit or len(done) + len(todo) > 40:
            done.append(shape)
        else:
            todo += _halves(shape, rng)
    return done


def _halves(shape: shapely.Polygon, rng: np.random.Generator) -> list[shapely.Polygon]:
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))[:4]
    sides = corners[1] - corners[0], corners[3] - corners[0]
    long, short = sorted(sides, key=lambda side: -float(np.hypot(*side)))
    at = corners[0] + rng.uniform(0.35, 0.65) * long
    far = 3 * short
    half = shapely.Polygon([at - far, at + far, at + far + 3 * long, at - far + 3 * long])
    return polygons_of([shape.intersection(half), shape.difference(half)])


def _paint_field(
    image: Image,
    parcel: shapely.Polygon,
    climate: Climate,
    bank: TextureBank,
    frame: Frame,
    rng: np.random.Generator,
) -> None:
    alpha = coverage([parcel.buffer(-rng.uniform(0.2, 1.5))], frame)
    if not alpha.any():
        return
    crop = jitter(rng, climate.crops[int(rng.integers(len(climate.crops)))], 9)
    dark = tuple(0.86 * c for c in crop)
    bright = tuple(min(255.0, 1.14 * c) for c in crop)
    amount = 0.5 + bank.mix(broad=0.16, patchy=0.07, small=0.05, fine=0.05)
    amount += _furrows(parcel, frame, rng)
    blend(image, ramp(dark, bright, amount), alpha)


def _furrows(parcel: shapely.Polygon, frame: Frame, rng: np.random.Generator) -> Sheet:
    """Stripes along a field, and the pairs of wheel tracks in it."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(parcel))[:3]
    sides = np.diff(corners, axis=0)
    long = sides[int(np.argmax(np.hypot(*sides.T)))]
    across = np.array([-long[1], long[0]]) / max(np.hypot(*long), 1e-9)
    metres = (np.arange(frame.size_px, dtype=np.float32) + 0.5) * np.float32(frame.gsd)
    where = np.float32(across[0]) * metres[None] + np.float32(across[1]) * metres[:, None]
    period = max(rng.uniform(1.2, 6.0), 2.5 * frame.gsd)
    stripes = np.float32(rng.uniform(0.02, 0.2)) * np.sin(where * np.float32(2 * np.pi / period))
    if rng.random() < 0.5:
        gauge = np.abs(np.mod(where, np.float32(rng.uniform(14, 26))) - 4.0)
        stripes -= np.float32(0.25) * (np.abs(gauge - 0.9) < 0.35)
    return stripes


def draw_ponds(
    blocks: list[Block], share: float, rng: np.random.Generator
) -> list[BaseGeometry]:
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
    return np.sum(waves, axis=0)


def paint_water(
    image: Image,
    water: list[BaseGeometry],
    character: Character,
    bank: TextureBank,
    frame: Frame,
    rng: np.random.Generator,
) -> Sheet:
    """Paint water and its banks; returns how much of each pixel it covers."""
    if all(shape.is_empty for shape in water):
        return np.zeros(frame.shape, dtype=np.float32)
    alpha = coverage(water, frame)
    shore = cv2.GaussianBlur(alpha, (0, 0), 3.5 / frame.gsd)
    rough = np.clip(2.4 * shore + 0.35 * bank.field("clumpy") - 0.3, 0, 1)
    colours = character.climate.water
    water_colour: Colour = jitter(rng, colours[int(rng.integers(len(colours)))], 6)
    bank_colour = tuple(0.55 * a + 0.35 * b for a, b in zip(water_colour, character.climate.wild[0], strict=True))
    blend(image, bank_colour, rough * 0.75)
    tone = 0.5 + bank.mix(wide=0.12, broad=0.1, small=0.04, fine=0.03)
    deep = tuple(0.88 * c for c in water_colour)
    blend(image, ramp(deep, tuple(1.12 * c for c in water_colour), tone), alpha)
    return alpha
