"""Resampling of an image that is never in memory as a whole.

Rows and columns are weighted one after the other by sparse matrices, so that any part of the result
is exactly that part of resampling everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Shape = tuple[int, int]


@dataclass(frozen=True)
class Resampling:
    """From one shape (rows, columns) to another.

    Pixels are averaged by area where both sides shrink, else interpolated linearly between their
    centres: what OpenCV's INTER_AREA and INTER_LINEAR do, with which training tiles are resized.
    """

    source: Shape
    target: Shape

    @cached_property
    def rows(self) -> csr_array:
        """Weights (target rows, source rows)."""
        return self._weights(0)

    @cached_property
    def columns(self) -> csr_array:
        """Weights (target columns, source columns)."""
        return self._weights(1)

    @property
    def is_identity(self) -> bool:
        """Whether nothing changes."""
        return self.source == self.target

    def _weights(self, axis: int) -> csr_array:
        shrinks = self.target[0] <= self.source[0] and self.target[1] <= self.source[1]
        weigh = _area_weights if shrinks else _linear_weights
        return weigh(self.source[axis], self.target[axis])

    def source_rows(self, rows: slice) -> slice:
        """The source rows of some target rows."""
        return rows if self.is_identity else _used(self.rows[rows])

    def source_columns(self, columns: slice) -> slice:
        """The source columns of some target columns."""
        return columns if self.is_identity else _used(self.columns[columns])

    def apply(
        self, pixels: NDArray[Any], rows: slice, columns: slice | None = None
    ) -> NDArray[np.float32]:
        """Target pixels (h, w, c) of those of `source_rows` and `source_columns`, (n, m, c).

        Without `columns` of all source columns.
        """
        down = self.rows[rows][:, self.source_rows(rows)]
        right = self.columns
        if columns is not None:
            right = right[columns][:, self.source_columns(columns)]
        flat = pixels.reshape(len(pixels), -1).astype(np.float32)
        width = pixels.shape[1]
        shorter = (down @ flat).reshape(-1, width, pixels.shape[2])
        across = shorter.transpose(1, 0, 2).reshape(width, -1)
        result = (right @ across).reshape(right.shape[0], -1, pixels.shape[2])
        return np.ascontiguousarray(result.transpose(1, 0, 2))


def _used(weights: csr_array) -> slice:
    """From the first to the last column of some weights that is not zero."""
    return slice(int(weights.indices.min()), int(weights.indices.max()) + 1)


def _area_weights(source: int, target: int) -> csr_array:
    """Each target pixel is the mean of the source pixels that it covers, in part or whole."""
    bounds = np.arange(target + 1) * (source / target)
    first = np.floor(bounds[:-1] + 1e-9).astype(np.int64)
    last = np.minimum(np.ceil(bounds[1:] - 1e-9).astype(np.int64), source)
    counts = last - first
    owner = np.repeat(np.arange(target), counts)
    pixel = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[owner]
    covered = np.minimum(pixel + 1, bounds[owner + 1]) - np.maximum(pixel, bounds[owner])
    share = (covered * target / source).astype(np.float32)
    return csr_array((share, (owner, pixel)), shape=(target, source))


def _linear_weights(source: int, target: int) -> csr_array:
    """Each target pixel lies between the centres of two source pixels, or beyond the last."""
    place = ((np.arange(target) + 0.5) * (source / target) - 0.5).clip(0, source - 1)
    left = np.minimum(place.astype(np.int64), max(source - 2, 0))
    right = np.minimum(left + 1, source - 1)
    share = (place - left).astype(np.float32)
    owner = np.arange(target)
    weights = np.concatenate([1 - share, share])
    ends = np.concatenate([owner, owner]), np.concatenate([left, right])
    return csr_array((weights, ends), shape=(target, source))
