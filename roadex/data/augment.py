"""Random changes of a training crop, each label-consistent."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.training import AugmentConfig

Arrays = tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True)
class Augmentation:
    """Flips, quarter turns and HSV jitter, drawn from the generator that is passed in.

    The connectivity classes count directions, so they need no change under flips and turns.
    """

    config: AugmentConfig

    def __call__(self, arrays: Arrays, rng: np.random.Generator) -> Arrays:
        """Arrays (H, W, ...) of one crop, the RGB image first, to the same crop changed."""
        arrays = self._turn(arrays, rng)
        return (self._jitter(arrays[0], rng), *arrays[1:])

    def _turn(self, arrays: Arrays, rng: np.random.Generator) -> Arrays:
        turns = int(rng.integers(4)) if self.config.quarter_turns else 0
        flip = bool(rng.integers(2)) if self.config.flip else False
        turned = tuple(np.rot90(array, turns) for array in arrays)
        return tuple(array[:, ::-1] for array in turned) if flip else turned

    def _jitter(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Shift hue (cyclic, 0..179), saturation and value (clipped) by one draw each."""
        ranges = (self.config.hue, self.config.saturation, self.config.value)
        if not any(ranges):
            return image
        shifts = [int(rng.integers(-limit, limit + 1)) for limit in ranges]
        hsv = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2HSV)
        levels = np.arange(256)
        tables = [(levels + shifts[0]) % 180] + [np.clip(levels + s, 0, 255) for s in shifts[1:]]
        table = np.stack(tables, axis=-1).astype(np.uint8)[None]
        return np.asarray(cv2.cvtColor(cv2.LUT(hsv, table), cv2.COLOR_HSV2RGB), np.uint8)
