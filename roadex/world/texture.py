"""Colours in 0..255, and noise at the scales that surfaces have to mix them by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.world.frame import Frame, Sheet

Window = tuple[slice, slice]
_WHOLE: Window = (slice(None), slice(None))
_SPARE_PX = 192


def smooth_noise(rng: np.random.Generator, size_px: int, cell_px: float) -> Sheet:
    """Noise (size_px, size_px) of mean 0 and deviation about 1 whose features span `cell_px`."""
    if cell_px <= 1:
        return rng.standard_normal((size_px, size_px), dtype=np.float32)
    cells = int(np.ceil(size_px / cell_px)) + 3
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    scaled_up = cv2.resize(coarse, (0, 0), fx=cell_px, fy=cell_px, interpolation=cv2.INTER_CUBIC)
    down, right = (int(cell_px * share) for share in rng.uniform(1, 2, size=2))
    field = np.asarray(scaled_up, np.float32)[down : down + size_px, right : right + size_px]
    return field * np.float32(1.35)


class TextureBank:
    """The noise fields of one tile, larger than it, made once and seen through moving windows.

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
        self._size_px = frame.size_px
        side = frame.size_px + _SPARE_PX
        self._fields = {
            name: smooth_noise(rng, side, cell / frame.gsd) for name, cell in self._CELLS_M.items()
        }
        self._fields["fine"] = smooth_noise(rng, side, 1)
        shares = {"patchy": 0.62, "small": 0.62, "fine": 0.47}
        parts = [np.float32(share) * self._fields[name] for name, share in shares.items()]
        self._fields["rough"] = np.add.reduce(parts)
        for field in self._fields.values():
            field.flags.writeable = False

    def field(self, name: str, where: Window = _WHOLE) -> Sheet:
        """Noise of deviation about 1 for a window of the tile, another at every call."""
        source = self._fields[name]
        down, right = self._rng.integers(0, _SPARE_PX, size=2)
        if self._rng.random() < 0.5:
            source = source[::-1]
        return source[down : down + self._size_px, right : right + self._size_px][where]

    def mix(self, where: Window = _WHOLE, **amounts: float) -> Sheet:
        """A weighted sum of fields, by name, for a window of the tile."""
        parts = [np.float32(share) * self.field(name, where) for name, share in amounts.items()]
        total: Sheet = np.add.reduce(parts)
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


def extent(alpha: Sheet) -> Window:
    """The rows and columns in which alpha is not zero."""
    rows = np.flatnonzero(alpha.any(axis=1))
    columns = np.flatnonzero(alpha.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


Colour = tuple[float, float, float]


def scaled(colour: Colour, factor: float) -> Colour:
    """A lighter or darker colour."""
    red, green, blue = (min(255.0, channel * factor) for channel in colour)
    return red, green, blue


def between(low: Colour, high: Colour, share: float) -> Colour:
    """The colour a share of the way from one to another."""
    red, green, blue = (a + (b - a) * share for a, b in zip(low, high, strict=True))
    return red, green, blue


def jitter(rng: np.random.Generator, colour: Colour, spread: float = 6.0) -> Colour:
    """A colour near another: lighter or darker, and a little off in hue."""
    shift, *off = (spread * rng.standard_normal(4)).tolist()
    red, green, blue = (
        min(255.0, max(0.0, channel + shift + 0.25 * single))
        for channel, single in zip(colour, off, strict=True)
    )
    return red, green, blue


def choose(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """One of some colours."""
    return colours[int(rng.integers(len(colours)))]
