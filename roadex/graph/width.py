"""Half-widths of roads, read off a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_STRIP_PIXELS = 1 << 25
_MARGIN_ROWS = 256  # half-widths are capped here, so that strips agree with the whole


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
