"""Signs that a tile or its label is not what it should be."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.data.prepared import IGNORE, PreparedTile

_FLAT = 3.0  # grey levels: a picture that varies less shows nothing
_SHIFTS_M = (4.0, 8.0, 12.0)
_CLEARLY = 1.5  # a moved label must separate road from ground so much better than the given one
_WEAK = 0.15  # of a deviation: below this, brightness does not tell road from ground anyway
_MANY_EDGES = 0.7  # of the labelled tiles have fewer edges


@dataclass(frozen=True)
class Look:
    """What is measured on one tile.

    Attributes:
        digest: of the pixels, equal for equal pictures.
        deviation: of the grey levels.
        edges: share of pixels on a strong edge.
        road_share: of the pixels that count.
        shift: how much better a moved label fits than the given one, and where to, in metres.
    """

    digest: str
    deviation: float
    edges: float
    road_share: float
    ignored_share: float
    shift: tuple[float, tuple[float, float]]


def look_at(tile: PreparedTile, gsd: float) -> Look:
    """Measure a tile."""
    image = np.ascontiguousarray(tile.image)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    scored = np.not_equal(tile.mask, IGNORE)
    road = tile.mask == 1
    return Look(
        hashlib.sha256(image.data).hexdigest(),
        float(grey.std()),
        float(np.mean(cv2.Canny(grey, 80, 160) > 0)),
        float(road.sum() / max(1, scored.sum())),
        float(1 - scored.mean()),
        _best_shift(grey, road, scored, gsd),
    )


def suspicions(looks: dict[str, Look]) -> dict[str, list[str]]:
    """What is odd about each tile, in words; most have nothing."""
    labelled = [look.edges for look in looks.values() if look.road_share > 0]
    busy = float(np.quantile(labelled, _MANY_EDGES)) if labelled else np.inf
    odd = {name: _alone(look, busy) for name, look in looks.items()}
    same: dict[str, list[str]] = defaultdict(list)
    for name, look in looks.items():
        same[look.digest].append(name)
    for names in same.values():
        for name in names if len(names) > 1 else ():
            odd[name].append(f"same picture as {', '.join(n for n in names if n != name)}")
    return odd


def _alone(look: Look, busy: float) -> list[str]:
    """What can be told from one tile."""
    found = []
    if look.deviation < _FLAT:
        found.append("the picture is nearly one colour")
    elif look.road_share == 0 and look.edges > busy:
        found.append("no road, though the picture is full of edges")
    if look.ignored_share > 0.5:
        found.append(f"{look.ignored_share:.0%} of it has no data")
    if look.road_share > 0.5:
        found.append(f"{look.road_share:.0%} of it is road")
    gain, (x, y) = look.shift
    if gain > _CLEARLY:
        found.append(f"the label would fit {gain:.1f} times better moved by {x:+.0f}, {y:+.0f} m")
    return found


def _best_shift(
    grey: NDArray[np.uint8], road: NDArray[np.bool_], scored: NDArray[np.bool_], gsd: float
) -> tuple[float, tuple[float, float]]:
    """The move of the label that separates road from ground best, against leaving it."""
    here = _separation(grey, road, scored)
    best, where = here, (0.0, 0.0)
    for metres in _SHIFTS_M:
        for x, y in ((metres, 0.0), (-metres, 0.0), (0.0, metres), (0.0, -metres)):
            pixels = round(y / gsd), round(x / gsd)
            there = _separation(grey, _shifted(road, pixels), scored)
            if there > best:
                best, where = there, (x, y)
    return best / max(here, _WEAK), where


def _shifted(road: NDArray[np.bool_], by: tuple[int, int]) -> NDArray[np.bool_]:
    """The mask moved by rows and columns; what enters is not road."""
    moved = np.roll(road, by, axis=(0, 1))
    for axis, step in enumerate(by):
        entered = slice(None, step) if step > 0 else slice(moved.shape[axis] + step, None)
        moved[(entered, slice(None)) if axis == 0 else (slice(None), entered)] = False
    return moved


def _separation(
    grey: NDArray[np.uint8], road: NDArray[np.bool_], scored: NDArray[np.bool_]
) -> float:
    """Difference of mean brightness on and beside the road, in deviations of the picture."""
    beside = np.greater(cv2.dilate(road.view(np.uint8), np.ones((25, 25), np.uint8)), 0)
    on, off = road & scored, beside & ~road & scored
    if on.sum() < 100 or off.sum() < 100:
        return 0.0
    return float(abs(grey[on].mean() - grey[off].mean()) / max(grey.std(), 1e-6))
