"""Class and width of all roads of a network as arrays, and where two networks differ in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadex.changes.samples import Floats, Integers
from roadex.graph.attributes import highway_of, is_known_class, width_of

# Widths that differ by less are the same, whatever their share.
LEAST_M = 2.0
# Classes that mean that the class is unknown.
_VAGUE = ("road", "unknown", "yes")


@dataclass(frozen=True)
class RoadAttributes:
    """Of each road (m,) the class, "" where it is not known, and the width in metres, or NaN."""

    classes: NDArray[np.str_]
    widths: Floats

    def differ(
        self, other: RoadAttributes, own: Integers, theirs: Integers, share: float
    ) -> NDArray[np.bool_]:
        """Whether roads `own` (n,) differ from roads `theirs` (n,) of another one (-1: none)."""
        if not len(self.classes) or not len(other.classes):
            return np.zeros(len(own), dtype=bool)
        ours, others = self.classes[own], other.classes[theirs]
        classes = (ours != others) & (ours != "") & (others != "")
        wide = np.maximum(self.widths[own], other.widths[theirs])
        gap = np.abs(self.widths[own] - other.widths[theirs])
        widths = (gap > LEAST_M) & (gap > share * wide)  # false where one is not known
        return np.asarray((classes | widths) & (theirs >= 0))

    def change(self, road: int, other: RoadAttributes, partner: int, share: float) -> str:
        """What differs about a road in another network, in words."""
        if partner < 0 or road < 0:
            return ""
        parts = []
        before, after = str(self.classes[road]), str(other.classes[partner])
        if before and after and before != after:
            parts.append(f"class {before} -> {after}")
        narrow, wide = sorted((float(self.widths[road]), float(other.widths[partner])))
        if wide - narrow > max(LEAST_M, share * wide):
            parts.append(f"width {self.widths[road]:.1f} -> {other.widths[partner]:.1f} m")
        return "; ".join(parts)


def attributes_of(data: list[dict[str, Any]]) -> RoadAttributes:
    """Class and width of roads from their attributes."""
    classes = [highway_of(road) or "" for road in data]
    known = [name if is_known_class(name) and name not in _VAGUE else "" for name in classes]
    widths = np.array([width_of(road) or math.nan for road in data], dtype=np.float64)
    return RoadAttributes(np.array(known, dtype=np.str_), widths)
