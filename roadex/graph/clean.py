"""Noise taken out of a road mask before it is thinned."""

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
    return pixels[1:-1, 1:-1].view(np.bool_)  # no copy: of a large map each one counts


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

    What goes is all within `half_width_px` of a pixel that lies farther than that from the edge, so
    that the roads which lead to a blob end at it and none is drawn through it. Strip by strip, as
    above. What lies outside the mask counts as road.
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
