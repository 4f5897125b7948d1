"""A road mask before it is thinned: noise is removed, and half-widths of roads are measured."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_STRIP_PIXELS = 1 << 25
_ROADS, _HOLES = 8, 4  # neighbours of a pixel: lines may touch at corners, so holes may not


def clean_mask(
    mask: NDArray[np.generic], min_area_px: float, min_hole_px: float
) -> NDArray[np.bool_]:
    """Drop islands of road and fill holes in roads that have fewer pixels than stated.

    Args:
        mask: (rows, columns), road where not zero.
        min_area_px: the smallest island kept.
        min_hole_px: the smallest hole kept. Background that touches the border is never a hole.

    Returns:
        A new boolean mask (rows, columns).
    """
    pixels = np.pad(mask != 0, 1).view(np.uint8)
    _erase_small(pixels, min_area_px, _ROADS)
    np.bitwise_xor(pixels, 1, out=pixels)
    _erase_small(pixels, min_hole_px, _HOLES)
    np.bitwise_xor(pixels, 1, out=pixels)
    return pixels[1:-1, 1:-1].view(np.bool_)  # no copy of a large map


def _erase_small(pixels: NDArray[np.uint8], min_px: float, neighbours: int) -> None:
    """Zero the components of ones with fewer than `min_px` pixels, in place and strip by strip.

    A component of n pixels spans at most n rows. With a margin of that many rows each strip sees
    its small components whole, and enough of the large ones to know them: the result is that of
    one pass over everything, while the labels of one strip are all that is in memory.
    """
    margin = int(np.ceil(min_px - 1e-6))
    if margin <= 1:
        return
    height = max(_STRIP_PIXELS // pixels.shape[1], 1)
    for top in range(0, len(pixels), height):
        first = max(top - margin, 0)
        seen = pixels[first : top + height + margin]
        _, labels, stats, _ = cv2.connectedComponentsWithStats(seen, connectivity=neighbours)
        kept = (stats[:, cv2.CC_STAT_AREA] >= margin).astype(np.uint8)
        kept[0] = 1
        if not kept.all():
            inner = slice(top - first, top - first + height)
            seen[inner] *= kept[labels[inner]]


def drop_blobs(road: NDArray[np.bool_], half_width_px: float) -> None:
    """Erase, in place, what is too wide to be a road: squares, car parks, fields taken for road.

    It erases everything within `half_width_px` of a pixel that lies farther than that from the
    edge, so that roads which lead to a blob end at it, and none is drawn through it. Strip by
    strip, as above. What lies outside the mask counts as road.
    """
    margin = 2 * int(np.ceil(half_width_px)) + 2
    height = max(_STRIP_PIXELS // max(road.shape[1], 1), margin)
    found: list[tuple[int, NDArray[np.bool_]]] = []
    for top in range(0, len(road), height):
        first = max(top - margin, 0)
        strip = np.ascontiguousarray(road[first : top + height + margin]).view(np.uint8)
        core = cv2.distanceTransform(strip, cv2.DIST_L2, cv2.DIST_MASK_5) > half_width_px
        if core.any():
            away = cv2.distanceTransform((~core).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
            found.append((top, (away <= half_width_px)[top - first : top - first + height]))
    for top, blob in found:
        road[top : top + height] &= ~blob


_RIDGE_SLACK = 0.25  # what is lower by this, in pixels, is no longer part of the ridge
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
