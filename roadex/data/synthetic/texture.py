"""Noise at the scales that surfaces have, and how colours are mixed by it."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.data.synthetic.colours import Colour
from roadex.data.synthetic.frame import Frame, Sheet


def smooth_noise(rng: np.random.Generator, size_px: int, cell_px: float) -> Sheet:
    """Noise (size_px, size_px) of mean 0 and deviation about 1 whose features span `cell_px`.

    It continues across opposite borders, so that shifting it shows no seam.
    """
    if cell_px <= 1:
        return rng.standard_normal((size_px, size_px), dtype=np.float32)
    cells = max(4, round(size_px / cell_px))
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    scale, rim = size_px / cells, 2
    wrapped = np.pad(coarse, rim, mode="wrap")
    field = cv2.resize(wrapped, (0, 0), fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    first = round(rim * scale)
    return field[first : first + size_px, first : first + size_px] * np.float32(1.35)


class TextureBank:
    """The noise fields of one tile, made once and reused shifted, which nobody can see.

    Their features span, from `fine` to `wide`, a pixel to sixty metres; `rough` mixes some.
    """

    _CELLS_M: ClassVar[dict[str, float]] = {
        "small": 1.2,
        "clumpy": 2.6,
        "patchy": 6.0,
        "broad": 17.0,
        "wide": 60.0,
    }

    def __init__(self, rng: np.random.Generator, frame: Frame) -> None:
        self._rng = rng
        self._fields = {
            name: smooth_noise(rng, frame.size_px, cell / frame.gsd)
            for name, cell in self._CELLS_M.items()
        }
        self._fields["fine"] = smooth_noise(rng, frame.size_px, 1)
        self._fields["rough"] = self.mix(patchy=0.62, small=0.62, fine=0.47)

    def field(self, name: str) -> Sheet:
        """A field of deviation about 1, shifted differently at every call."""
        source = self._fields[name]
        down, right = self._rng.integers(0, source.shape[0], size=2)
        if self._rng.random() < 0.5:
            source = source[::-1]
        return np.roll(source, (int(down), int(right)), axis=(0, 1))

    def mix(self, **amounts: float) -> Sheet:
        """A weighted sum of fields, by name."""
        total = np.zeros_like(self._fields["fine"])
        for name, amount in amounts.items():
            total += np.float32(amount) * self.field(name)
        return total


def ramp(low: Colour, high: Colour, amount: Sheet) -> NDArray[np.float32]:
    """Colours (H, W, 3) between two, where `amount` runs from 0 to 1 and is clipped there."""
    clipped = np.clip(amount, 0, 1)
    channels = [np.float32(a) + np.float32(b - a) * clipped for a, b in zip(low, high, strict=True)]
    return np.asarray(cv2.merge(channels), dtype=np.float32)


def blend(under: NDArray[np.float32], over: NDArray[np.float32], alpha: Sheet) -> None:
    """Lay colours over an image (H, W, 3) in place, as far as alpha (H, W) covers it."""
    where = extent(alpha)
    part = under[where]
    part += (over[where] - part) * alpha[where][..., None]


def blurred(image: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """An image (H, W) or (H, W, 3), blurred."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), dtype=np.float32)


def extent(alpha: Sheet) -> tuple[slice, slice]:
    """The rows and columns in which alpha is not zero."""
    rows = np.flatnonzero(alpha.any(axis=1))
    columns = np.flatnonzero(alpha.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
