"""Trees and bushes: where they stand, and what crowns and woods look like from above."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadex.world.character import Climate
from roadex.world.frame import FloatArray, Frame, Sheet, coverage, polygons_of
from roadex.world.landuse import KINDS, Block, UseMap
from roadex.world.lots import stations
from roadex.world.plan import Plan
from roadex.world.scene import Scene
from roadex.world.texture import Colour, between, jitter, smooth_noise

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


_STAMP_PX = 48
_STAMPS = 16
_SHADES = 24
_BARE_COVER = 0.42  # of the ground below a crown without leaves


@dataclass
class Canopy:
    """All crowns of a tile.

    `heights` (H, W) in metres, 0 without a tree; `colours` (H, W, 3); `cover` (H, W) is how much
    of the ground a crown hides, less than 1 for bare trees.
    """

    heights: Sheet
    colours: NDArray[np.float32]
    cover: Sheet


def paint_canopy(
    scene: Scene, trees: Trees, blocks: list[Block], rng: np.random.Generator
) -> Canopy:
    """Crowns of all trees and woods."""
    canopy = _woods(scene, blocks, rng)
    for at, radius, bare in zip(trees.at, trees.radius, trees.bare, strict=True):
        colour = _crown_colour(scene.character.climate, bool(bare), rng)
        stamp = int(rng.integers(_STAMPS))
        _place(canopy, at, radius, stamp, colour, _BARE_COVER if bare else 1.0, scene.frame)
    return canopy


def _crown_colour(climate: Climate, bare: bool, rng: np.random.Generator) -> Colour:
    if bare:
        return jitter(rng, (98, 88, 76), 8)
    low, high = climate.crown[int(rng.integers(len(climate.crown)))]
    return jitter(rng, between(low, high, rng.random()), 7)


@lru_cache(maxsize=1)
def _stamps() -> NDArray[np.float32]:
    """Crown shapes (n, s, s) of height 1: lumpy domes with ragged rims."""
    rng = np.random.default_rng(20)
    ys, xs = np.mgrid[-1 : 1 : _STAMP_PX * 1j, -1 : 1 : _STAMP_PX * 1j].astype(np.float32)
    stamps = []
    for _ in range(_STAMPS):
        lumps = smooth_noise(rng, _STAMP_PX, 9) * 0.2 + smooth_noise(rng, _STAMP_PX, 4) * 0.13
        reach = np.hypot(xs, ys) * (1.12 + 0.6 * lumps)
        dome = np.sqrt(np.clip(1 - reach**2, 0, 1))
        stamps.append(np.clip(dome * (0.9 + lumps), 0, 1.2))
    return np.stack(stamps).astype(np.float32)


@lru_cache(maxsize=2048)
def _stamp_of(kind: int, size_px: int) -> Sheet:
    shape = cv2.resize(_stamps()[kind], (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(shape, dtype=np.float32)


def _place(
    canopy: Canopy,
    at: FloatArray,
    radius: float,
    kind: int,
    colour: Colour,
    cover: float,
    frame: Frame,
) -> None:
    """Grow one crown, as far as no higher one is there already."""
    size, side = max(3, round(2 * radius / frame.gsd)), frame.size_px
    column, row = (round(float(value) / frame.gsd - size / 2) for value in at)
    top, left, bottom, right = max(0, row), max(0, column), min(side, row + size), column + size
    right = min(side, right)
    if top >= bottom or left >= right:
        return
    part = _stamp_of(kind, size)[top - row : bottom - row, left - column : right - column]
    height = np.float32(1.5 + 1.5 * radius) * part
    roi = (slice(top, bottom), slice(left, right))
    above = (height > canopy.heights[roi]) & (part > 0.12)
    canopy.heights[roi][above] = height[above]
    canopy.colours[roi][above] = colour
    canopy.cover[roi][above] = cover


def _woods(scene: Scene, blocks: list[Block], rng: np.random.Generator) -> Canopy:
    frame, climate, density = scene.frame, scene.character.climate, scene.settings.tree_cover
    colours = np.zeros((*frame.shape, 3), dtype=np.float32)
    empty = Canopy(np.zeros(frame.shape, np.float32), colours, np.zeros(frame.shape, np.float32))
    shapes = [block.shape for block in blocks if block.use == "woodland"]
    if not shapes or density <= 0:
        return empty
    grown = [shape.buffer(rng.uniform(0.0, 5.0)) for shape in shapes]
    clearing = scene.bank.mix(broad=0.6, patchy=0.4, clumpy=0.3) < rng.uniform(-1.8, -0.7)
    inside = coverage(grown, frame, scale=1) * ~clearing
    domes, tints = _crowns(frame, rng)
    bare = climate.bare_trees > 0.5
    shades = [_crown_colour(climate, bare and rng.random() < 0.8, rng) for _ in range(_SHADES)]
    colours[:] = np.array(shades, dtype=np.float32)[tints]
    heights = inside.astype(np.float32) * domes
    heights[heights <= 0.8] = 0
    cover = (heights > 0) * np.float32(0.62 if bare else 1.0)
    return Canopy(heights, colours, cover)


def _crowns(frame: Frame, rng: np.random.Generator) -> tuple[Sheet, NDArray[np.intp]]:
    """A closed wood of crowns of many sizes: heights, and the number of each one's shade."""
    spacing = rng.uniform(3.6, 6.5)
    count = int((frame.side_m / spacing) ** 2)
    cells = rng.integers(0, frame.size_px, size=(count, 2))
    away = np.ones(frame.shape, dtype=np.uint8)
    away[cells[:, 1], cells[:, 0]] = 0
    found = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    distance, label = np.asarray(found[0], np.float32), np.asarray(found[1], np.intp)
    reach = distance * np.float32(frame.gsd / (0.95 * spacing))
    domes = 3 + 8 * np.sqrt(np.clip(1 - reach**2, 0, 1))
    tall = rng.uniform(0.65, 1.15, size=int(label.max()) + 1).astype(np.float32)
    return (domes * tall[label]).astype(np.float32), (label * 7919) % _SHADES
