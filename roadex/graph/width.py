"""Half-widths of roads, read off a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_STRIP_PIXELS = 1 << 25
_RIDGE_SLACK = 0.25  # what is so much lower, in pixels, is part of the ridge no more
_MARGIN_ROWS = 256  # half-widths are capped here, so that strips agree with the whole


def on_the_ridge(mask: NDArray[np.bool_], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 2) moved to the middle of the ridge of the distance to the edge around them.

    A road an even number of pixels wide has two middle rows of pixels, of which a skeleton takes
    one; its middle lies between them. Points are (column, row), whole numbers at pixel centres.
    """
    steps = [(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    around = np.concatenate([points + step for step in steps])
    heights = half_widths(mask, around).reshape(len(steps), -1)
    ridge = np.maximum(heights - heights[4] + _RIDGE_SLACK, 0.0)
    shares = ridge / ridge.sum(axis=0)
    moved: NDArray[np.float64] = points + np.einsum("sn,sd->nd", shares, np.array(steps, float))
    return moved


def half_widths(mask: NDArray[np.bool_], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance in pixels from each point (n, 2) to the road's edge, at most 256.

    Points are (column, row), whole numbers at pixel centres. The edge lies half a pixel before the
    nearest pixel that is not road; what lies outside the mask (rows, columns) counts as road.
    """
    rows = np.clip(np.rint(points[:, 1]), 0, mask.shape[0] - 1).astype(np.int64)
    columns = np.clip(np.rint(points[:, 0]), 0, mask.shape[1] - 1).astype(np.int64)
    found = np.zeros(len(points))
    height = max(_STRIP_PIXELS // max(mask.shape[1], 1), _MARGIN_ROWS)
    for top in range(0, mask.shape[0], height):
        here = np.flatnonzero((rows >= top) & (rows < top + height))
        if len(here):
            first = max(top - _MARGIN_ROWS, 0)
            strip = np.ascontiguousarray(mask[first : top + height + _MARGIN_ROWS]).view(np.uint8)
            distance = cv2.distanceTransform(strip, cv2.DIST_L2, cv2.DIST_MASK_5)
            found[here] = distance[rows[here] - first, columns[here]]
    return np.clip(found - 0.5, 0.0, _MARGIN_ROWS)
