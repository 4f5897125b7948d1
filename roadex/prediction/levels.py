"""A model's maps of a rectangle of an image in 1/256: fine maps, and coarse ones of attributes.

The attributes of roads change little from pixel to pixel and have many maps: every `COARSE`-th
pixel along both axes is kept, counted from the corner of the image, so that all rectangles fit
together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roadex.prediction.slices import shifted

COARSE = 2
Spans = tuple[slice, slice]


@dataclass(frozen=True)
class Levels:
    """Probabilities in 1/256 of a rectangle of an image.

    Attributes:
        fine: (1 + K + E, h, w) road, connectivity and evidence.
        coarse: (C, ...) attributes of roads, of the pixels whose row and column in the image divide
            by `COARSE`.
        place: rows and columns of the rectangle.
    """

    fine: NDArray[np.uint8]
    coarse: NDArray[np.uint8]
    place: Spans

    @classmethod
    def empty(cls, fine: int, coarse: int, place: Spans) -> Levels:
        """Zeros for a number of maps of both kinds."""
        sides = [span.stop - span.start for span in place]
        coarse_sides = [span.stop - span.start for span in map(coarse_span, place)]
        return cls(
            np.empty((fine, *sides), np.uint8), np.empty((coarse, *coarse_sides), np.uint8), place
        )

    def put(self, levels: NDArray[np.uint8], part: Spans) -> None:
        """Write all maps (C, h, w) of a part of the image that lies in the rectangle."""
        fine, (here, there) = len(self.fine), self._within(part)
        self.fine[:, here[0], here[1]] = levels[:fine]
        if len(self.coarse):
            kept = levels[fine:, thinned(part[0]), thinned(part[1])]
            self.coarse[:, there[0], there[1]] = kept

    def cut(self, part: Spans) -> Levels:
        """A part of the image that lies in the rectangle."""
        here, there = self._within(part)
        return Levels(self.fine[:, here[0], here[1]], self.coarse[:, there[0], there[1]], part)

    def _within(self, part: Spans) -> tuple[list[slice], list[slice]]:
        """Where a part of the image is on the fine and on the coarse maps."""
        pairs = list(zip(part, self.place, strict=True))
        coarse = [shifted(coarse_span(p), coarse_span(own).start) for p, own in pairs]
        return [shifted(p, own.start) for p, own in pairs], coarse


def coarse_span(span: slice) -> slice:
    """The places on the coarse maps of the pixels of a span that are kept."""
    return slice(-(-span.start // COARSE), -(-span.stop // COARSE))


def thinned(span: slice) -> slice:
    """The pixels that are kept, counted from the start of a span of the image."""
    return slice(-span.start % COARSE, None, COARSE)
