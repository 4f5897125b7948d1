"""Farmed fields: parcels of one crop each, with furrows and wheel tracks."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.world.colours import choose, jitter, scaled
from roadex.world.frame import FloatArray, Frame, Sheet, coverage
from roadex.world.landuse import Block, halve_until
from roadex.world.scene import Scene
from roadex.world.shapes import Axes
from roadex.world.texture import Window, extent, ramp


def paint_fields(
    image: NDArray[np.float32], scene: Scene, blocks: list[Block], rng: np.random.Generator
) -> None:
    """Part field blocks into parcels and paint each over an image (H, W, 3) in place."""
    for block in blocks:
        if block.use == "field":
            for parcel in halve_until([block.shape], rng.uniform(3000, 16000), rng):
                _paint_parcel(image, scene, parcel, rng)


def _paint_parcel(
    image: NDArray[np.float32], scene: Scene, parcel: shapely.Polygon, rng: np.random.Generator
) -> None:
    alpha = coverage([parcel.buffer(-rng.uniform(0.2, 1.5))], scene.frame)
    where = extent(alpha)
    if not alpha[where].size:
        return
    crop = jitter(rng, choose(rng, scene.character.climate.crops), 9)
    amount = 0.5 + scene.bank.mix(where, broad=0.16, patchy=0.07, small=0.06, fine=0.08)
    amount += _furrows(_across(parcel), where, scene.frame, rng)
    top = ramp(scaled(crop, 0.86), scaled(crop, 1.14), amount)
    part = image[where]
    part += (top - part) * alpha[where][..., None]


def _across(parcel: shapely.Polygon) -> FloatArray:
    """The unit vector across the longer side of a parcel."""
    long = Axes.around(parcel).longer
    return np.array([-long[1], long[0]]) / max(float(np.hypot(*long)), 1e-9)


def _furrows(across: FloatArray, where: Window, frame: Frame, rng: np.random.Generator) -> Sheet:
    """Stripes along a field, and the pairs of wheel tracks in it."""
    metres = (np.arange(frame.size_px, dtype=np.float32) + 0.5) * np.float32(frame.gsd)
    rows, columns = metres[where[0], None], metres[None, where[1]]
    away = np.float32(across[0]) * columns + np.float32(across[1]) * rows
    period = max(rng.uniform(1.2, 6.0), 2.5 * frame.gsd)
    stripes = np.float32(rng.uniform(0.02, 0.2)) * np.sin(away * np.float32(2 * np.pi / period))
    if rng.random() < 0.5:
        gauge = np.abs(np.mod(away, np.float32(rng.uniform(14, 26))) - np.float32(4.0))
        stripes -= np.float32(0.25) * (np.abs(gauge - np.float32(0.9)) < 0.35)
    return stripes
