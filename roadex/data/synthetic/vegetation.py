"""Trees: single crowns, clumps and closed woods, as heights and colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.data.synthetic.character import Climate
from roadex.data.synthetic.colours import Colour, between, jitter
from roadex.data.synthetic.frame import FloatArray, Frame, Sheet, coverage
from roadex.data.synthetic.landuse import KINDS, Block, UseMap
from roadex.data.synthetic.lots import stations
from roadex.data.synthetic.occupancy import Occupancy
from roadex.data.synthetic.settings import WorldSettings
from roadex.data.synthetic.texture import TextureBank, smooth_noise

_STAMP_PX = 48
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
    """Trees at `at` (n, 2) with crowns of `radius` (n,), all in metres; `bare` (n,) have no leaves."""

    at: FloatArray
    radius: FloatArray
    bare: NDArray[np.bool_]


@dataclass
class Canopy:
    """What the trees of a tile look like from above.

    `heights` (H, W) in metres, 0 without a tree; `colours` (H, W, 3); `cover` (H, W) is how much
    of the ground a crown hides, less than 1 for bare trees.
    """

    heights: Sheet
    colours: NDArray[np.float32]
    cover: Sheet


def draw_trees(
    graph: nx.MultiGraph,
    uses: UseMap,
    ground: Occupancy,
    climate: Climate,
    settings: WorldSettings,
    rng: np.random.Generator,
) -> Trees:
    """Trees in gardens, parks and scrub, and in rows along some streets."""
    density = settings.tree_cover * climate.trees
    scattered = _scattered(uses, ground, settings.side_m, density, rng)
    rows = _street_trees(graph, density, rng)
    at = np.vstack([scattered, rows])
    usual = rng.uniform(2.2, 4.4)
    radius = np.clip(rng.gamma(6.0, usual / 6, len(at)), 1.0, 8.0)
    bushes = _scattered(uses, ground, settings.side_m, _BUSHES_PER_TREE * density, rng)
    at = np.vstack([at, bushes])
    radius = np.concatenate([radius, rng.uniform(0.5, 1.3, len(bushes))])
    return Trees(at, radius, rng.random(len(at)) < climate.bare_trees)


def _scattered(
    uses: UseMap, ground: Occupancy, side: float, density: float, rng: np.random.Generator
) -> FloatArray:
    most = max(_PER_HECTARE.values())
    count = rng.poisson(most * 1.6 * density * ((side + 16) / 100) ** 2)
    points = rng.uniform(-8, side + 8, size=(count, 2))
    centres = rng.uniform(-8, side + 8, size=(max(1, count // 9), 2))
    near = centres[rng.integers(len(centres), size=count)] + rng.normal(0, 7, size=(count, 2))
    points = np.where(rng.random(count)[:, None] < 0.5, near, points)
    wanted = np.zeros(256)
    for name, amount in _PER_HECTARE.items():
        wanted[KINDS.index(name)] = amount / (1.6 * most)
    kept = (rng.random(count) < wanted[uses.at(points)]) & ground.free(points)
    return points[kept]


def _street_trees(graph: nx.MultiGraph, density: float, rng: np.random.Generator) -> FloatArray:
    rows = [np.empty((0, 2))]
    leafy = rng.uniform(0, 0.9)
    for *_, data in graph.edges(data=True):
        if data["road_class"] not in ("residential", "collector") or rng.random() > leafy:
            continue
        places = stations(data["geometry"], data["width_m"], rng.uniform(8, 15), 12.0)
        offset = places.half_width_m + rng.uniform(0.8, 2.4)
        points = places.at + offset * places.out + rng.normal(0, 1.0, size=places.at.shape)
        rows.append(points[rng.random(len(points)) < min(1.0, 0.55 * density)])
    return np.vstack(rows)


def paint_canopy(
    trees: Trees,
    blocks: list[Block],
    climate: Climate,
    bank: TextureBank,
    frame: Frame,
    density: float,
    rng: np.random.Generator,
) -> Canopy:
    """Crowns of all trees and woods."""
    canopy = _woods(blocks, climate, bank, frame, density, rng)
    for at, radius, bare in zip(trees.at, trees.radius, trees.bare, strict=True):
        _stamp(canopy, at, radius, _crown_colour(climate, bool(bare), rng), bool(bare), frame, rng)
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
    for _ in range(16):
        lumps = smooth_noise(rng, _STAMP_PX, 9) * 0.16 + smooth_noise(rng, _STAMP_PX, 4) * 0.1
        reach = np.hypot(xs, ys) * (1.12 + 0.5 * lumps)
        dome = np.sqrt(np.clip(1 - reach**2, 0, 1))
        stamps.append(np.clip(dome * (0.9 + lumps), 0, 1.2))
    return np.stack(stamps).astype(np.float32)


@lru_cache(maxsize=2048)
def _stamp_of(kind: int, size_px: int) -> Sheet:
    return cv2.resize(_stamps()[kind], (size_px, size_px), interpolation=cv2.INTER_AREA)


def _stamp(
    canopy: Canopy,
    at: FloatArray,
    radius: float,
    colour: Colour,
    bare: bool,
    frame: Frame,
    rng: np.random.Generator,
) -> None:
    size = max(3, round(2 * radius / frame.gsd))
    column, row = (np.asarray(at) / frame.gsd - size / 2).round().astype(int)
    stamp = _stamp_of(int(rng.integers(16)), size)
    top, left = max(0, row), max(0, column)
    bottom, right = min(frame.size_px, row + size), min(frame.size_px, column + size)
    if top >= bottom or left >= right:
        return
    part = stamp[top - row : bottom - row, left - column : right - column]
    height = np.float32(1.5 + 1.5 * radius) * part
    roi = (slice(top, bottom), slice(left, right))
    above = (height > canopy.heights[roi]) & (part > 0.12)
    canopy.heights[roi][above] = height[above]
    canopy.colours[roi][above] = colour
    canopy.cover[roi][above] = 0.42 if bare else 1.0


def _woods(
    blocks: list[Block],
    climate: Climate,
    bank: TextureBank,
    frame: Frame,
    density: float,
    rng: np.random.Generator,
) -> Canopy:
    heights = np.zeros(frame.shape, dtype=np.float32)
    colours = np.zeros((*frame.shape, 3), dtype=np.float32)
    cover = np.zeros(frame.shape, dtype=np.float32)
    shapes = [block.shape for block in blocks if block.use == "woodland"]
    if not shapes or density <= 0:
        return Canopy(heights, colours, cover)
    grown = [shape.buffer(rng.uniform(0.0, 3.0)) for shape in shapes]
    inside = coverage(grown, frame, scale=1)
    inside = inside * ((bank.mix(broad=0.6, patchy=0.4)) > -1.1 - 0.2 * density)
    domes, tints = _crowns(frame, rng)
    bare = climate.bare_trees > 0.5
    heights = inside * domes
    shades = np.array([_crown_colour(climate, bare and rng.random() < 0.8, rng) for _ in range(24)])
    colours[:] = shades.astype(np.float32)[tints]
    present = heights > 0.8
    cover[present] = 0.75 if bare else 1.0
    return Canopy(heights * present, colours, cover)


def _crowns(frame: Frame, rng: np.random.Generator) -> tuple[Sheet, NDArray[np.int64]]:
    """A closed wood: heights, and which of 24 shades each crown has."""
    spacing = rng.uniform(4.5, 8.0)
    side = frame.side_m
    seeds = np.arange(0, side + spacing, spacing)
    grid = np.stack(np.meshgrid(seeds, seeds), axis=-1).reshape(-1, 2)
    grid = grid + rng.uniform(-0.45, 0.45, size=grid.shape) * spacing
    cells = np.clip((grid / frame.gsd).astype(int), 0, frame.size_px - 1)
    away = np.ones(frame.shape, dtype=np.uint8)
    away[cells[:, 1], cells[:, 0]] = 0
    distance, label = cv2.distanceTransformWithLabels(
        away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    reach = distance * np.float32(frame.gsd / (0.72 * spacing))
    domes = 3 + 8 * np.sqrt(np.clip(1 - reach**2, 0, 1))
    tall = rng.uniform(0.7, 1.15, size=label.max() + 1).astype(np.float32)
    return (domes * tall[label]).astype(np.float32), (label * 7919) % 24


def hedges(blocks: list[Block], rng: np.random.Generator) -> FloatArray:
    """Points of trees along the edges of some fields."""
    rows = [np.empty((0, 2))]
    for block in blocks:
        if block.use == "field" and rng.random() < 0.4:
            rim = block.shape.buffer(-3).boundary
            where = np.arange(0, rim.length, rng.uniform(3, 9))
            points = shapely.get_coordinates(shapely.line_interpolate_point(rim, where))
            rows.append(points + rng.normal(0, 0.8, size=points.shape))
    return np.vstack(rows)
