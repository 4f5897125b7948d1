"""What trees look like from above: single crowns and closed woods, as heights and colours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.world.character import Climate
from roadex.world.colours import Colour, between, jitter
from roadex.world.frame import FloatArray, Frame, Sheet, coverage
from roadex.world.landuse import Block
from roadex.world.scene import Scene
from roadex.world.texture import smooth_noise
from roadex.world.trees import Trees

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
