"""What the ground between the roads is used for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadex.world.character import pick_weighted
from roadex.world.frame import FloatArray, polygons_of
from roadex.world.plan import Plan
from roadex.world.shapes import Axes
from roadex.world.surface import road_lines

KINDS = ("residential", "commercial", "park", "woodland", "field", "scrub", "bare")

_USES: dict[str, dict[str, float]] = {
    "grid": {"residential": 0.8, "commercial": 0.12, "park": 0.06, "bare": 0.02},
    "organic": {"residential": 0.82, "park": 0.08, "woodland": 0.07, "commercial": 0.03},
    "industrial": {"commercial": 0.78, "bare": 0.1, "park": 0.06, "scrub": 0.06},
    "rural": {"field": 0.58, "woodland": 0.2, "scrub": 0.16, "residential": 0.06},
}


@dataclass(frozen=True)
class Block:
    """The ground between some roads, without their surface."""

    shape: shapely.Polygon
    use: str


def draw_blocks(plan: Plan, rng: np.random.Generator) -> list[Block]:
    """Give each piece of ground between the roads a use that suits its landscape."""
    lines = [line for line, _ in road_lines(plan.graph)]
    edges = shapely.union_all([*lines, plan.domain.boundary], grid_size=0.01)
    faces = shapely.get_parts(shapely.polygonize([*shapely.get_parts(edges)]))
    paved = shapely.union_all(plan.surfaces)
    blocks = []
    for face in faces:
        use = _draw_use(plan, face, rng)
        for part in polygons_of([face.difference(paved)]):
            if part.area > 30:
                blocks.append(Block(part, use))
    return blocks


def _draw_use(plan: Plan, face: shapely.Polygon, rng: np.random.Generator) -> str:
    inside = face.representative_point()
    style = next((name for shape, name in plan.regions if shape.contains(inside)), "rural")
    weights = dict(_USES[style])
    if face.area < 900:
        return "park"
    if face.area > 25000 and style != "rural":
        weights["woodland"] = 0.25
        weights["park"] = weights.get("park", 0) + 0.15
    return pick_weighted(rng, weights)


def halve_until(
    shapes: list[BaseGeometry], limit_m2: float, rng: np.random.Generator
) -> list[shapely.Polygon]:
    """Halve polygons across their longer side until none is larger than a limit."""
    todo = polygons_of(shapes)
    done: list[shapely.Polygon] = []
    while todo:
        shape = todo.pop()
        if shape.area < limit_m2 or len(done) + len(todo) > 2000:
            done.append(shape)
        else:
            todo += _halves(shape, rng)
    return done


def _halves(shape: shapely.Polygon, rng: np.random.Generator) -> list[shapely.Polygon]:
    axes = Axes.around(shape)
    long = axes.longer
    at = axes.corner + rng.uniform(0.35, 0.65) * long
    far = 3 * np.array([-long[1], long[0]])
    half = shapely.Polygon([at - far, at + far, at + far + 3 * long, at - far + 3 * long])
    return polygons_of([shape.intersection(half), shape.difference(half)])


class UseMap:
    """The use at any point, from a map of square metres over the tile and its margin."""

    def __init__(self, plan: Plan, blocks: list[Block]) -> None:
        left, top, right, bottom = plan.domain.bounds
        self._origin = np.array([left, top])
        self._kinds = np.full((int(bottom - top) + 1, int(right - left) + 1), 255, dtype=np.uint8)
        for block in blocks:
            ring = shapely.get_coordinates(block.shape.exterior) - self._origin
            cv2.fillPoly(self._kinds, [np.floor(ring).astype(np.int32)], KINDS.index(block.use))

    def at(self, points: FloatArray) -> NDArray[np.uint8]:
        """The index into KINDS at points (n, 2) in metres; 255 where there is none."""
        columns, rows = np.floor(points - self._origin).astype(np.int64).T
        height, width = self._kinds.shape
        inside = (columns >= 0) & (rows >= 0) & (columns < width) & (rows < height)
        kinds = np.full(len(points), 255, dtype=np.uint8)
        kinds[inside] = self._kinds[rows[inside], columns[inside]]
        return kinds
