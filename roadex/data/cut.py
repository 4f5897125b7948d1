"""Cutting a square out of a tile: straight, or turned and scaled.

Beside the square each cut tells where it lies: a matrix (2, 3) from x, y in pixels of the tile to
those of the square, the first pixel's centre at (0.5, 0.5) in both.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.labels import IGNORE

Arrays = tuple[NDArray[np.uint8], ...]
Matrix = NDArray[np.float64]
Cut = tuple[Arrays, Matrix]


def cut(arrays: Arrays, size: int, rng: np.random.Generator) -> Cut:
    """A random square of side `size` from an image (H, W, 3) and its label maps (H, W).

    Where the tile is smaller, the image is reflected and the labels are 255 (ignore).
    """
    height, width = arrays[0].shape[:2]
    top = int(rng.integers(max(height - size, 0) + 1))
    left = int(rng.integers(max(width - size, 0) + 1))
    cuts = [np.array(array[top : top + size, left : left + size]) for array in arrays]
    matrix = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top]])
    if height >= size and width >= size:
        return tuple(cuts), matrix
    image = _grow(cuts[0], size, mode="symmetric")
    labels = (_grow(c, size, mode="constant", constant_values=IGNORE) for c in cuts[1:])
    return (image, *labels), matrix


def _grow(array: NDArray[np.uint8], size: int, **padding: object) -> NDArray[np.uint8]:
    amounts = [(0, size - array.shape[0]), (0, size - array.shape[1])]
    result: NDArray[np.uint8] = np.pad(array, amounts + [(0, 0)] * (array.ndim - 2), **padding)  # type: ignore[call-overload]
    return result


def cut_turned(
    arrays: Arrays, size: int, degrees: float, scale: float, rng: np.random.Generator
) -> Cut:
    """A random square turned by `degrees` and magnified by `scale`, as `cut` otherwise.

    The image is sampled bilinearly; a label is that of the nearest pixel, so that no new class
    appears. The square is kept inside the tile where it fits.
    """
    height, width = arrays[0].shape[:2]
    turn = _inverse_map(degrees, scale)
    reach = float(np.abs(turn).sum(axis=1).max()) * size / 2
    centre = np.array([_centre(side, reach, rng) for side in (width, height)])
    low = np.maximum(np.floor(centre - reach).astype(int) - 2, 0)
    high = np.ceil(centre + reach).astype(int) + 3
    parts = [np.ascontiguousarray(a[low[1] : high[1], low[0] : high[0]]) for a in arrays]
    shift = centre - 0.5 - low - turn @ np.full(2, (size - 1) / 2)
    back = np.column_stack([turn, shift])
    square = (_warp_image(parts[0], back, size), *(_warp(p, back, size) for p in parts[1:]))
    there = np.linalg.inv(turn)
    return square, np.column_stack([there, size / 2 - there @ centre])


def shrunk(square: Cut, size: int) -> Cut:
    """A square image and its labels at a smaller side: pixels averaged, labels of the nearest."""
    arrays, matrix = square
    image = cv2.resize(np.ascontiguousarray(arrays[0]), (size, size), interpolation=cv2.INTER_AREA)
    labels = (
        cv2.resize(np.ascontiguousarray(array), (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
        for array in arrays[1:]
    )
    smaller = (np.asarray(image, np.uint8), *(np.asarray(array, np.uint8) for array in labels))
    return smaller, matrix * (size / arrays[0].shape[0])


def _inverse_map(degrees: float, scale: float) -> Matrix:
    """The matrix (2, 2) from offsets x, y in the crop to offsets in the tile."""
    cosine, sine = (f(math.radians(degrees)) / scale for f in (math.cos, math.sin))
    return np.array([[cosine, -sine], [sine, cosine]])


def _centre(side: int, reach: float, rng: np.random.Generator) -> float:
    """Where the square's centre lies along one axis, in pixels from the tile's edge."""
    free = side - 2 * reach
    return reach + rng.random() * free if free > 0 else side / 2


def _warp_image(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int
) -> NDArray[np.uint8]:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(warped, np.uint8)


def _warp(labels: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    side = (size, size)
    return np.asarray(
        cv2.warpAffine(labels, matrix, side, None, flags, cv2.BORDER_CONSTANT, IGNORE), np.uint8
    )
