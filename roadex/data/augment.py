"""Random crops of a tile, straight or turned and scaled, with random label-consistent changes.

Each cut also gives its place: a matrix (2, 3) from x, y in pixels of the tile to those of the
square, the first pixel's centre at (0.5, 0.5) in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.augment import AugmentConfig
from roadex.config.labels import IGNORE
from roadex.rasters.pictures import by_bands

_TURNS = (-1, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)


@dataclass(frozen=True)
class Motion:
    """How a crop lies in its tile, as `roadex.graph.orientation.turned_codes` takes it.

    Attributes:
        degrees: by which it is turned.
        quarter_turns: against the clock, after that.
        flip: whether left and right are exchanged after both.
        matrix: (2, 3) from x, y in pixels of the tile to those of the crop; see above.
    """

    degrees: float
    quarter_turns: int
    flip: bool
    matrix: Matrix


@dataclass(frozen=True)
class Augmentation:
    """Crop, scale, rotation, flips, quarter turns and jitter, drawn from the given generator.

    The connectivity classes count directions, so they need no change under flips and turns; labels
    of directions have to be turned by the motion that `moved` returns.
    """

    config: AugmentConfig

    def __call__(
        self, arrays: Arrays, size: int, rng: np.random.Generator, zoom: float = 1.0
    ) -> Arrays:
        """Arrays (H, W, ...) of a tile, the image first, to a square (size, size, ...).

        The tile is magnified by `zoom` before anything else.
        """
        return self.moved(arrays, size, rng, zoom)[0]

    def moved(
        self, arrays: Arrays, size: int, rng: np.random.Generator, zoom: float = 1.0
    ) -> tuple[Arrays, Motion]:
        """The square as above, and how it lies in the tile."""
        (arrays, matrix), degrees = self._cut(arrays, size, rng, zoom)
        turns = int(rng.integers(4)) if self.config.quarter_turns else 0
        flip = bool(rng.integers(2)) if self.config.flip else False
        arrays = tuple(_turned(array, turns, flip) for array in arrays)
        image = self._jitter(self._stretch(arrays[0], rng), rng)
        image = self._occlude(self._blur(image, rng), rng)
        matrix = _turned_matrix(matrix, size, turns, flip)
        return (image, *arrays[1:]), Motion(degrees, turns, flip, matrix)

    def _cut(
        self, arrays: Arrays, size: int, rng: np.random.Generator, zoom: float
    ) -> tuple[Cut, float]:
        """The square and the degrees by which it is turned; the scale is drawn log-uniformly."""
        config = self.config
        if config.rotation == 0 and config.scale_min == config.scale_max == zoom == 1:
            return cut(arrays, size, rng), 0.0
        degrees = float(rng.uniform(-config.rotation, config.rotation))
        scale = float(np.exp(rng.uniform(np.log(config.scale_min), np.log(config.scale_max))))
        if zoom >= 1:
            return cut_turned(arrays, size, degrees, scale * zoom, rng), degrees
        # Finer pixels are averaged, since sampling would skip most of them.
        fine = max(size, round(size / zoom))
        return shrunk(cut_turned(arrays, fine, degrees, scale, rng), size), degrees

    def _stretch(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Multiply the contrast about the crop's mean brightness by one draw."""
        if not self.config.contrast:
            return image
        factor = 1 + float(rng.uniform(-self.config.contrast, self.config.contrast))
        mean = float(np.mean(cv2.mean(np.ascontiguousarray(image[..., :3]))[:3]))
        levels = np.arange(256) * factor + mean * (1 - factor)
        table = np.clip(levels.round(), 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(np.ascontiguousarray(image), table), np.uint8)

    def _blur(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        if not self.config.blur:
            return image
        deviation = max(float(rng.uniform(0, self.config.blur)), 1e-3)  # 0 has another meaning
        return by_bands(lambda part: cv2.GaussianBlur(part, (0, 0), deviation), image)

    def _occlude(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Hide rectangles behind a random colour; the labels below them stay."""
        if not self.config.occlusions:
            return image
        hidden = np.array(image)
        for _ in range(int(rng.integers(self.config.occlusions + 1))):
            height, width = rng.integers(1, self.config.occlusion_px + 1, 2)
            top, left = (int(rng.integers(side)) for side in hidden.shape[:2])
            hidden[top : top + height, left : left + width] = rng.integers(0, 256, hidden.shape[2])
        return hidden

    def _jitter(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Shift hue (cyclic, 0..179), saturation and value (clipped) by one draw each.

        Bands besides red, green and blue have no colour: they are shifted as the value is.
        """
        ranges = (self.config.hue, self.config.saturation, self.config.value)
        if not any(ranges):
            return image
        shifts = [int(rng.integers(-limit, limit + 1)) for limit in ranges]
        hsv = cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_RGB2HSV)
        levels = np.arange(256)
        tables = [(levels + shifts[0]) % 180] + [np.clip(levels + s, 0, 255) for s in shifts[1:]]
        table = np.stack(tables, axis=-1).astype(np.uint8)[None]
        colours = np.asarray(cv2.cvtColor(cv2.LUT(hsv, table), cv2.COLOR_HSV2RGB), np.uint8)
        if image.shape[2] == 3:
            return colours
        return np.dstack([colours, table[0, :, 2][image[..., 3:]]])


def _turned(array: NDArray[np.uint8], turns: int, flip: bool) -> NDArray[np.uint8]:
    """Quarter turns against the clock, then left and right exchanged; faster than NumPy's."""
    if not turns and not flip:
        return array

    def move(part: NDArray[np.uint8]) -> cv2.typing.MatLike:
        turned = cv2.rotate(part, _TURNS[turns]) if turns else part
        return cv2.flip(turned, 1) if flip else turned

    return by_bands(move, array) if array.ndim == 3 else np.asarray(move(array), np.uint8)


def _turned_matrix(matrix: Matrix, size: int, turns: int, flip: bool) -> Matrix:
    """The same turns and flip of a crop of side `size`, after a matrix (2, 3) into it."""
    whole = np.vstack([matrix, [0.0, 0.0, 1.0]])
    quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, size], [0.0, 0.0, 1.0]])
    mirror = np.array([[-1.0, 0.0, size], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    for _ in range(turns):
        whole = quarter @ whole
    result: Matrix = (mirror @ whole if flip else whole)[:2]
    return result


Arrays = tuple[NDArray[np.uint8], ...]
Matrix = NDArray[np.float64]
Cut = tuple[Arrays, Matrix]


def cut(arrays: Arrays, size: int, rng: np.random.Generator) -> Cut:
    """A random square of side `size` from an image (H, W, n) and its label maps (H, W).

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
    image = by_bands(
        lambda part: cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA), arrays[0]
    )
    labels = (
        cv2.resize(np.ascontiguousarray(array), (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
        for array in arrays[1:]
    )
    smaller = (image, *(np.asarray(array, np.uint8) for array in labels))
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
    flags, side = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (size, size)
    return by_bands(
        lambda part: cv2.warpAffine(part, matrix, side, flags=flags, borderMode=cv2.BORDER_REFLECT),
        image,
    )


def _warp(labels: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    side = (size, size)
    return np.asarray(
        cv2.warpAffine(labels, matrix, side, None, flags, cv2.BORDER_CONSTANT, IGNORE), np.uint8
    )
