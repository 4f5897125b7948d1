"""Overlapping windows blended; only the overlaps are kept in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from roadex.engine.inference import ramp


@dataclass(frozen=True)
class Block:
    """A rectangle of the image to which no further window contributes.

    Attributes:
        values: (C, h, w).
    """

    rows: slice
    columns: slice
    values: Tensor


class Blender:
    """Adds up windows row by row and from left to right.

    A window's weights fall over `overlap` pixels towards its border, and are divided beforehand by
    their sum over all windows, the product of the sums along rows and columns. So the values of
    a window are final where no later one reaches, and the rest waits above the next row of
    windows (`above`, (C, rows, width)) or left of the next window.
    """

    def __init__(
        self, rows: list[slice], columns: list[slice], overlap: int, device: torch.device
    ) -> None:
        self.rows, self.columns = rows, columns
        self.above: Tensor | None = None
        self._down = [share.to(device) for share in _shares(rows, overlap)]
        self._across = [share.to(device) for share in _shares(columns, overlap)]
        self._below: Tensor | None = None
        self._left: Tensor | None = None

    def add(self, row: int, column: int, values: Tensor) -> Block:
        """Add a window's values (C, h, w); returns the blocks that have become final."""
        part = values * self._down[row][:, None] * self._across[column]
        if self._left is not None:
            part[:, :, : self._left.shape[2]] += self._left
        rows, columns = final_part(self.rows, row), final_part(self.columns, column)
        width, height = columns.stop - columns.start, rows.stop - rows.start
        self._left = part[:, :, width:].clone() if width < part.shape[2] else None
        part = part[:, :, :width]
        if self.above is not None:
            part[:, : self.above.shape[1]] += self.above[:, :, columns]
        self._keep(part[:, height:], columns)
        if column + 1 == len(self.columns):
            self.above, self._below = self._below, None
        return Block(rows, columns, part[:, :height])

    def _keep(self, rest: Tensor, columns: slice) -> None:
        """Keep the rows that the next row of windows adds to."""
        if not rest.shape[1]:
            return
        if self._below is None:
            size = (*rest.shape[:2], self.columns[-1].stop)
            self._below = rest.new_zeros(size)
        self._below[:, :, columns] = rest


def _shares(spans: list[slice], overlap: int) -> list[Tensor]:
    """The weights of each window along one side; they add up to 1 at every pixel."""
    total = np.zeros(spans[-1].stop)
    for span in spans:
        total[span] += ramp(span, overlap)
    shares = [(ramp(span, overlap) / total[span]).astype(np.float32) for span in spans]
    return [torch.from_numpy(share) for share in shares]


def final_part(spans: list[slice], index: int) -> slice:
    """The part of a window's span that no later one covers."""
    span = spans[index]
    return slice(span.start, spans[index + 1].start if index + 1 < len(spans) else span.stop)
