"""Where single trees and bushes stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadex.world.frame import FloatArray, polygons_of
from roadex.world.landuse import KINDS, Block, UseMap
from roadex.world.lots import stations
from roadex.world.plan import Plan
from roadex.world.scene import Scene

_PER_HECTARE = {
    "residential": 34.0,
    "park": 38.0,
    "scrub": 55.0,
    "commercial": 7.0,
    "field": 1.5,
    "bare": 6.0,
}
_BUSHES_PER_TREE = 1.3


@dataclass(frozen=True)
class Trees:
    """Trees at `at` (n, 2) with crowns of `radius` (n,), in metres; `bare` (n,) have no leaves."""

    at: FloatArray
    radius: FloatArray
    bare: NDArray[np.bool_]


def draw_trees(
    scene: Scene,
    blocks: list[Block],
    uses: UseMap,
    ponds: list[BaseGeometry],
    rng: np.random.Generator,
) -> Trees:
    """Trees in gardens, parks and scrub, in rows along streets and fields, and along water."""
    climate, settings = scene.character.climate, scene.settings
    density = settings.tree_cover * climate.trees
    usual = rng.uniform(2.2, 4.4)
    groups = [
        (_scattered(scene, uses, density, rng), usual),
        (_street_trees(scene.plan, density, rng), rng.uniform(2.0, 5.0)),
        (_along_rims(_field_rims(blocks, rng), density, rng), 1.8),
        (_along_rims(_shores(scene.plan.river, ponds), density, rng), 2.6),
        (_scattered(scene, uses, _BUSHES_PER_TREE * density, rng), 0.9),
    ]
    at = np.vstack([points for points, _ in groups])
    sizes = [rng.gamma(6.0, size / 6, len(points)) for points, size in groups]
    radius = np.clip(np.concatenate(sizes), 0.5, 8.0)
    return Trees(at, radius, rng.random(len(at)) < climate.bare_trees)


def _scattered(scene: Scene, uses: UseMap, density: float, rng: np.random.Generator) -> FloatArray:
    """Half of them alone and half in clumps, as many as each use of the ground has."""
    side = scene.frame.side_m
    most = 1.6 * max(_PER_HECTARE.values())
    count = rng.poisson(most * density * ((side + 16) / 100) ** 2)
    points = rng.uniform(-8, side + 8, size=(count, 2))
    centres = rng.uniform(-8, side + 8, size=(max(1, count // 9), 2))
    near = centres[rng.integers(len(centres), size=count)] + rng.normal(0, 7, size=(count, 2))
    points = np.where(rng.random(count)[:, None] < 0.5, near, points)
    wanted = np.zeros(256)
    for name, amount in _PER_HECTARE.items():
        wanted[KINDS.index(name)] = amount / most
    kept = (rng.random(count) < wanted[uses.at(points)]) & scene.ground.free(points)
    return points[kept]


def _street_trees(plan: Plan, density: float, rng: np.random.Generator) -> FloatArray:
    """Rows beside streets, but for those that would stand on another road."""
    rows: list[FloatArray] = [np.empty((0, 2))]
    leafy = rng.uniform(0, 0.9)
    for *_, data in plan.graph.edges(data=True):
        if data["road_class"] not in ("residential", "collector") or rng.random() > leafy:
            continue
        places = stations(data["geometry"], data["width_m"], rng.uniform(7, 14), 12.0)
        offset = places.half_width_m + rng.uniform(0.8, 2.4)
        points = places.at + offset * places.out + rng.normal(0, 1.0, size=places.at.shape)
        chosen = rng.random(len(points)) < min(1.0, rng.uniform(0.3, 0.9) * density)
        rows.append(points[chosen])
    found = np.vstack(rows)
    roads = shapely.union_all(plan.surfaces)
    result: FloatArray = found[~shapely.contains_xy(roads, *found.T)]
    return result


def _field_rims(blocks: list[Block], rng: np.random.Generator) -> list[BaseGeometry]:
    fields = [block.shape for block in blocks if block.use == "field"]
    return [shape.buffer(-3).boundary for shape in fields if rng.random() < 0.4]


def _shores(river: BaseGeometry, ponds: list[BaseGeometry]) -> list[BaseGeometry]:
    return [shape.buffer(3).boundary for shape in polygons_of([river, *ponds])]


def _along_rims(rims: list[BaseGeometry], density: float, rng: np.random.Generator) -> FloatArray:
    """Trees along lines, with gaps between groups of them."""
    rows: list[FloatArray] = [np.empty((0, 2))]
    for rim in rims:
        where = np.arange(0, rim.length, rng.uniform(2.5, 7))
        groups = np.sin(where / rng.uniform(6, 30) + rng.uniform(0, 6.3))
        where = where[(groups > rng.uniform(-1, 0.3)) & (rng.random(len(where)) < density)]
        points = shapely.get_coordinates(shapely.line_interpolate_point(rim, where))
        rows.append(points + rng.normal(0, 1.2, size=points.shape))
    return np.vstack(rows)
