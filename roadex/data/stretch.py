"""From 16 bits to 8: each band of a city is stretched between two percentiles.

The percentiles are those of the city's training tiles, so tiles of other splits do not influence
the contrast. Cities without training tiles use the percentiles of all training tiles.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.dataset import StretchConfig
from roadex.errors import RoadexError

# Counts of every 16-bit value in each of n bands, (n, 65536).
Histogram = NDArray[np.int64]
# For each group of tiles the limits from its training tiles, as JSON values.
Calibration = dict[str, dict[str, Any]]

EVERYWHERE = "all cities"
LEVELS = 1 << 16
# A share of pixels that does not have the same lowest or highest value by chance.
_SHARED = 0.002


def histogram(bands: NDArray[np.uint16], valid: NDArray[np.bool_] | None, every: int) -> Histogram:
    """Counts (n, 65536) of the values of bands (n, H, W), of every k-th pixel along both axes."""
    thin = bands[:, ::every, ::every]
    sample = thin.reshape(len(thin), -1) if valid is None else thin[:, valid[::every, ::every]]
    return np.stack([np.bincount(values, minlength=LEVELS) for values in sample])


def calibrate(histograms: Iterable[tuple[str, Histogram]], settings: StretchConfig) -> Calibration:
    """The limits of each city from the histograms of its training tiles."""
    totals: dict[str, Histogram] = {}
    tiles: dict[str, int] = {}
    for city, counts in histograms:
        for name in (city, EVERYWHERE):
            totals[name] = totals[name] + counts if name in totals else counts
            tiles[name] = tiles.get(name, 0) + 1
    shares = (settings.low_percent / 100, settings.high_percent / 100)
    return {
        city: {
            "low": _quantiles(total, shares[0]),
            "high": _quantiles(total, shares[1]),
            "training_tiles": tiles[city],
        }
        for city, total in sorted(totals.items())
    }


def without_undeclared(values: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of distinct values (n), in order, are data, `counts` (n) of pixels having each.

    A lowest or highest value that many pixels share, far from all others, is taken for no data
    that no file declares, such as -9999 or 65535.
    """
    kept = np.ones(len(values), np.bool_)
    for end, way in ((0, 1), (-1, -1)):
        rest = kept.copy()
        rest[end] = False
        if not rest.any() or counts[end] < _SHARED * counts.sum():
            continue
        others = values[rest][::way].astype(np.float64)
        inner = np.searchsorted(np.cumsum(counts[rest][::way]), 0.98 * counts[rest].sum())
        reach = abs(others[min(inner, len(others) - 1)] - others[0])
        if abs(others[0] - float(values[end])) > 3 * max(reach, 1e-12):
            kept = rest
    return kept


def _quantiles(counts: Histogram, share: float) -> list[int]:
    """The smallest value of each band that at least a share of its data does not exceed."""
    sound = counts.copy()
    for band in sound:
        there = np.flatnonzero(band)
        band[there[~without_undeclared(there, band[there])]] = 0
    below = np.cumsum(sound, axis=1)
    return [int(np.searchsorted(band, share * band[-1])) for band in below]


def stretch(bands: NDArray[np.uint16], low: list[int], high: list[int]) -> NDArray[np.uint8]:
    """Bands (n, H, W) of 16 bits as (H, W, n) of 8: `low` becomes 0 and `high` 255, per band."""
    stretched = []
    for band, darkest, brightest in zip(bands, low, high, strict=True):
        above = np.maximum(band, np.uint16(darkest)) - np.uint16(darkest)
        scale = 255 / max(brightest - darkest, 1)
        stretched.append(cv2.convertScaleAbs(above, alpha=scale))
    return np.asarray(cv2.merge(stretched), np.uint8)


def to_8_bits(
    bands: NDArray[Any], calibration: Calibration, group: str, path: Path
) -> NDArray[np.uint8]:
    """Bands (n, H, W) of a tile's image as (H, W, n), stretched as its city is.

    Raises:
        RoadexError: no training tile has more than 8 bits, as this one does.
    """
    if bands.dtype == np.uint8:
        return np.ascontiguousarray(np.moveaxis(bands, 0, -1))
    limits = calibration.get(group) or calibration.get(EVERYWHERE)
    if limits is None:
        raise RoadexError(f"{path}: no training tile of more than 8 bits to take the contrast from")
    return stretch(bands, limits["low"], limits["high"])
