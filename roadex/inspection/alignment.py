"""Whether a road mask lies on the roads of its image.

A mask that fits has edges of the picture along its border and few within: borders run along kerbs,
verges and fields, while a road itself is smooth. The fit of every move of the mask within some
metres is the difference of the two, found at once by correlation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.labels import IGNORE

Map = NDArray[np.float64]
Plane = NDArray[np.float32]

FARTHEST_M = 16.0
_WORK_M = 1.0  # finer pictures are shrunk to pixels of this size
_BLUR_M = 1.0
_EDGE = 4.0  # times the median of the squared gradient: there an edge counts half
_SLACK_M = 3.0  # how far the borders of a mask and a road may differ in any case
# With less road the fit is random: a share of the tile, and square metres that always suffice.
_LEAST_SHARE = 0.02
_ENOUGH_M2 = 3000.0


@dataclass(frozen=True)
class Alignment:
    """How well a mask fits where it is moved to.

    Attributes:
        scores: (2r + 1, 2r + 1) by rows down and columns right, the middle being no move; in
            [-1, 1].
        step_m: metres between two of them.
    """

    scores: Map
    step_m: float

    @property
    def best(self) -> tuple[float, float]:
        """The move that fits best, in metres right and down."""
        row, column = np.unravel_index(self.scores.argmax(), self.scores.shape)
        middle = len(self.scores) // 2
        return float(column - middle) * self.step_m, float(row - middle) * self.step_m

    @property
    def gain(self) -> float:
        """How much better the best move fits than to leave the mask about where it is."""
        middle, slack = len(self.scores) // 2, max(1, round(_SLACK_M / self.step_m))
        here = slice(middle - slack, middle + slack + 1)
        return float(self.scores.max() - self.scores[here, here].max())


def alignment(image: NDArray[np.uint8], mask: NDArray[np.uint8], gsd: float) -> Alignment | None:
    """The fit of a mask (H, W) of 0, 1 and 255 (ignored) to an image (H, W, 3) of `gsd` metres.

    Returns:
        None if too little of the tile is road.
    """
    road_px = np.count_nonzero(mask == 1)
    if road_px < _LEAST_SHARE * mask.size and road_px * gsd**2 < _ENOUGH_M2:
        return None
    scale = min(1.0, gsd / _WORK_M)
    step = gsd / scale
    seen = _shrunk(np.ascontiguousarray(image), scale)
    road = _shrunk((mask == 1).astype(np.float32), scale)
    known = (_shrunk((mask != IGNORE).astype(np.float32), scale) > 0.99).astype(np.float32)
    reach = max(1, min(round(FARTHEST_M / step), min(road.shape) // 4))
    edges = _edges(seen, known, _BLUR_M / step)
    smooth = np.asarray(cv2.GaussianBlur(road, (0, 0), _BLUR_M / step), np.float32)
    across = _along_border(edges, known, smooth, reach)
    inside = _weighted(edges[0] + edges[1], known, _inner(road), reach)
    return Alignment(across - inside, step)


def common(found: list[Alignment]) -> Alignment | None:
    """The fit of the masks of a whole dataset, moved together."""
    shapes = {alignment.scores.shape for alignment in found}
    if len(shapes) != 1:
        return None
    return Alignment(np.mean([each.scores for each in found], axis=0), found[0].step_m)


def _shrunk(plane: NDArray[Any], scale: float) -> Plane:
    size = [max(1, round(side * scale)) for side in plane.shape[1::-1]]
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _inner(road: Plane) -> Plane:
    """The road without its border, unless nothing would be left."""
    thinner = np.asarray(cv2.erode(road, np.ones((3, 3))), np.float32)
    return thinner if thinner.sum() > 0.1 * road.sum() else road


def _edges(image: Plane, known: Plane, blur: float) -> tuple[Plane, Plane, Plane]:
    """The structure tensor (xx, yy, xy) over the colours, its trace scaled to [0, 1)."""
    colours = cv2.cvtColor(image / np.float32(255), cv2.COLOR_RGB2LAB)
    smooth = cv2.GaussianBlur(colours, (0, 0), blur)
    right, down = (cv2.Sobel(smooth, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    tensor = [(a * b).sum(axis=2) for a, b in ((right, right), (down, down), (right, down))]
    strength = tensor[0] + tensor[1]
    weight = known / (strength + _EDGE * np.float32(np.median(strength) + 1e-3))
    return tensor[0] * weight, tensor[1] * weight, tensor[2] * weight


def _along_border(edges: tuple[Plane, Plane, Plane], known: Plane, road: Plane, reach: int) -> Map:
    """The mean strength of edges that run along the road's border, by its move."""
    right, down = (cv2.Sobel(road, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    length = np.sqrt(right**2 + down**2) + np.float32(1e-6)
    normal = right**2 / length, down**2 / length, 2 * right * down / length
    total = sum(_moved_sums(edge, part, reach) for edge, part in zip(edges, normal, strict=True))
    return total / _at_least(_moved_sums(known, length, reach))


def _weighted(values: Plane, known: Plane, weights: Plane, reach: int) -> Map:
    """The mean of values under weights, by the move of the weights."""
    return _moved_sums(values, weights, reach) / _at_least(_moved_sums(known, weights, reach))


def _at_least(sums: Map) -> Map:
    """At least a thousandth of the largest, for moves that leave almost nothing."""
    result: Map = np.maximum(sums, 1e-3 * sums.max() + 1e-9)
    return result


def _moved_sums(values: Plane, weights: Plane, reach: int) -> Map:
    """Sums of values times weights moved by -reach to reach rows and columns."""
    size = [cv2.getOptimalDFTSize(side + reach) for side in values.shape]
    product = np.fft.rfft2(values, size) * np.conj(np.fft.rfft2(weights, size))
    moves = np.arange(-reach, reach + 1)
    return np.asarray(np.fft.irfft2(product, size)[np.ix_(moves, moves)], np.float64)
