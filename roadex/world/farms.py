"""Farmsteads beside country roads: a yard, a house and barns."""

from __future__ import annotations

import numpy as np
import shapely

from roadex.world.buildings import Building
from roadex.world.colours import Colour, choose, jitter
from roadex.world.frame import coverage
from roadex.world.landuse import KINDS, UseMap
from roadex.world.lots import Lot, stations
from roadex.world.scene import Scene, lay

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
