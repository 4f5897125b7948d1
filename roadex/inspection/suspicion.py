"""Signs that a tile or its label is not what it should be."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass

import cv2
import numpy as np

from roadex.config.labels import IGNORE
from roadex.data.prepared import PreparedTile
from roadex.inspection.alignment import Alignment, alignment, common

_FLAT = 3.0  # grey levels: a picture that varies less shows nothing
# A moved label must fit so much better: of 144 sound tiles two do, of those moved by 10 m nine in
# ten (experiments/data).
CLEARLY = 0.03
_TOGETHER = 0.01  # the same for all labels together, which say more than one
_MANY_EDGES = 0.7  # of the labelled tiles have fewer edges


@dataclass(frozen=True)
class Look:
    """What is measured on one tile.

    Attributes:
        digest: of the pixels, equal for equal pictures.
        deviation: of the grey levels.
        edges: share of pixels on a strong edge.
        road_share: of the pixels that count.
        alignment: how well the label fits where it is moved to; None where that cannot be told.
    """

    digest: str
    deviation: float
    edges: float
    road_share: float
    ignored_share: float
    alignment: Alignment | None


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
        alignment(image, tile.mask, gsd),
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


def common_move(looks: dict[str, Look]) -> tuple[float, float] | None:
    """The move in metres (right, down) with which all labels would fit better, if there is one."""
    together = common([look.alignment for look in looks.values() if look.alignment])
    if together is None or together.gain < _TOGETHER:
        return None
    return together.best


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
    if look.alignment and look.alignment.gain > CLEARLY:
        x, y = look.alignment.best
        found.append(f"the label would fit better moved by {x:+.0f}, {y:+.0f} m (right, down)")
    return found
