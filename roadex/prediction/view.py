"""A scene as the model sees it: 8 bits, at the pixel size of the training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roadex.engine.inference import SAME_SIZE
from roadex.geo.grid import square_shape
from roadex.prediction.contrast import Contrast
from roadex.prediction.resample import Resampling
from roadex.prediction.scene import Piece, Scene

_CHUNK_PIXELS = 1 << 23


@dataclass(frozen=True)
class Strip:
    """Some rows of a view.

    Attributes:
        image: (h, w, n) uint8, red, green and blue first.
        valid: (h, w) where there are data; None: everywhere.
    """

    image: NDArray[np.uint8]
    valid: NDArray[np.bool_] | None


@dataclass(frozen=True)
class View:
    """A scene, stretched and resampled.

    Attributes:
        pixel_m: width and height in metres of a pixel of the scene.
    """

    scene: Scene
    contrast: Contrast | None
    resampling: Resampling
    pixel_m: tuple[float, float]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.resampling.target

    @property
    def gsd(self) -> tuple[float, float]:
        """Width and height in metres of a pixel of the view."""
        (rows, columns), (height, width) = self.scene.shape, self.shape
        return self.pixel_m[0] * columns / width, self.pixel_m[1] * rows / height

    @property
    def extent_m(self) -> tuple[float, float]:
        """Width and height in metres of the scene."""
        rows, columns = self.scene.shape
        return self.pixel_m[0] * columns, self.pixel_m[1] * rows

    def strips(self, spans: Iterable[slice], columns: slice | None = None) -> Iterator[Strip]:
        """The rows of each span, in order; common rows are read once.

        Args:
            columns: only these; None: all.
        """
        wanted = list(spans)
        kept: Strip | None = None
        stop = 0
        for span, later in zip(wanted, [*wanted[1:], None], strict=True):
            strip = self.strip(slice(max(span.start, stop), span.stop), columns)
            if kept is not None:
                strip = _joined(kept, strip)
            stop, kept = span.stop, None
            if later is not None and later.start < stop:
                kept = _from_row(strip, later.start - span.start)
            yield strip

    def strip(self, rows: slice, columns: slice | None = None) -> Strip:
        """Some rows, made a few at a time, in full width or of some columns."""
        across = columns or slice(0, self.shape[1])
        source = self.resampling.source_columns(across)
        shrink = self.resampling.source[0] / self.resampling.target[0]
        height = max(1, int(_CHUNK_PIXELS / (source.stop - source.start) / max(1.0, shrink)))
        image = np.empty(
            (rows.stop - rows.start, across.stop - across.start, self.scene.count), np.uint8
        )
        valid = np.ones(image.shape[:2], np.bool_) if self.scene.masked else None
        for top in range(rows.start, rows.stop, height):
            part = slice(top, min(top + height, rows.stop))
            here = slice(part.start - rows.start, part.stop - rows.start)
            pixels, known = self._part(part, across)
            image[here] = pixels
            if valid is not None and known is not None:
                valid[here] = known
        return Strip(image, valid)

    def _part(
        self, rows: slice, columns: slice
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
        how = self.resampling
        piece = self.scene.read(how.source_rows(rows), how.source_columns(columns))
        image = to_8_bits(piece, self.contrast)
        if self.resampling.is_identity:
            return image, piece.valid
        resized = np.rint(how.apply(image, rows, columns)).clip(0, 255).astype(np.uint8)
        if piece.valid is None:
            return resized, None
        known = how.apply(piece.valid[:, :, None], rows, columns)[:, :, 0]
        return resized, known >= 0.5


def to_8_bits(piece: Piece, contrast: Contrast | None) -> NDArray[np.uint8]:
    """The bands (h, w, n) of a piece."""
    if contrast is None:
        return np.ascontiguousarray(np.moveaxis(piece.bands, 0, -1))
    return contrast.to_8_bits(piece.bands)


def fit_shape(shape: tuple[int, int], pixel_m: tuple[float, float], gsd: float) -> tuple[int, int]:
    """Rows and columns of a scene at square pixels of `gsd` metres, its own if they fit."""
    if max(abs(side / gsd - 1) for side in pixel_m) < SAME_SIZE:
        return shape
    return square_shape(shape, pixel_m, gsd)


def _from_row(strip: Strip, first: int) -> Strip:
    """A copy of the rows of a strip from `first` on, so that the others can be released."""
    valid = strip.valid
    return Strip(strip.image[first:].copy(), None if valid is None else valid[first:].copy())


def _joined(before: Strip, strip: Strip) -> Strip:
    """The rows of one strip, and then those of another."""
    image = np.concatenate([before.image, strip.image])
    if before.valid is None or strip.valid is None:
        return Strip(image, None)
    return Strip(image, np.concatenate([before.valid, strip.valid]))
