"""Farmland: parcels of one crop with furrows and wheel tracks, and farmsteads beside roads."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.world.buildings import Building
from roadex.world.frame import FloatArray, Frame, Sheet, coverage
from roadex.world.landuse import KINDS, Block, UseMap, halve_until
from roadex.world.lots import Lot, stations
from roadex.world.scene import Scene, lay
from roadex.world.shapes import Axes
from roadex.world.texture import Colour, Window, choose, extent, jitter, ramp, scaled


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


_OPEN = [KINDS.index(name) for name in ("field", "scrub")]
_BARNS: tuple[Colour, ...] = ((150, 148, 144), (122, 118, 112), (128, 84, 66), (168, 160, 150))


def paint_farms(scene: Scene, uses: UseMap, rng: np.random.Generator) -> list[Building]:
    """Lay farm yards; returns the buildings on them."""
    farms: list[Building] = []
    for *_, data in scene.plan.graph.edges(data=True):
        if data["layer"] or data["road_class"] not in ("track", "residential", "collector"):
            continue
        places = stations(data["geometry"], data["width_m"], 60.0, 25.0)
        around = uses.at(places.at + (places.half_width_m + 25) * places.out)
        share = 0.22 * scene.settings.building_density
        for i in np.flatnonzero(np.isin(around, _OPEN) & (rng.random(len(around)) < share)):
            front = places.at[i] + places.half_width_m * places.out[i]
            lot = Lot(front, places.along[i], places.out[i], *rng.uniform(28, 60, size=2))
            farms += _farm(scene, lot, rng)
    return farms


def _farm(scene: Scene, lot: Lot, rng: np.random.Generator) -> list[Building]:
    if not scene.ground.free(lot.quad(0, 4, lot.width_m, lot.depth_m)).all():
        return []
    yard = shapely.Polygon(lot.quad(0, 3, 0.8 * lot.width_m, 0.8 * lot.depth_m)).buffer(4)
    drive = shapely.Polygon(lot.quad(rng.uniform(-6, 6), -1, rng.uniform(3, 5), 12))
    tone = choose(rng, (*scene.character.climate.soil, scene.character.concrete))
    lay(scene, coverage([yard, drive], scene.frame), jitter(rng, tone, 8), 0.85, 2.0)
    sizes = [(rng.uniform(9, 13), rng.uniform(9, 16), choose(rng, scene.character.climate.roofs))]
    for _ in range(rng.integers(1, 5)):
        sizes.append((rng.uniform(8, 18), rng.uniform(14, 38), choose(rng, _BARNS)))
    farm = []
    for width, depth, colour in sizes:
        size = (width, depth) if rng.random() < 0.5 else (depth, width)
        across = rng.uniform(-0.5, 0.5) * max(0.0, lot.width_m - size[0])
        corners = lot.quad(across, rng.uniform(4, max(5.0, lot.depth_m - size[1])), *size)
        if scene.ground.try_quad(corners):
            farm.append(Building(corners, rng.uniform(4, 8), "gable", jitter(rng, colour, 8)))
    return farm
