"""Settings of the way from a road mask to a road graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _switchable(default: float) -> Any:
    """A length, area or ratio that cannot be negative and whose zero switches its step off."""
    return field(default=default, metadata={"least": 0.0})


@dataclass(unsafe_hash=True)  # not frozen: a frozen schema would refuse every override
class GraphSettings:
    """Lengths in metres and areas in square metres, so that they hold at any pixel size.

    The first four defaults are the method's pixel counts at its 0.3 m per pixel: 300 px, 300 px,
    20 px and 2 px. Zero switches a step off.
    """

    # Islands of road, and holes in roads, smaller than this are noise.
    min_area_m2: float = _switchable(27.0)
    min_hole_m2: float = _switchable(27.0)
    # A dead end shorter than this is a bump of the mask's outline, not a road.
    min_spur_m: float = _switchable(6.0)
    # The largest deviation that simplifying a line may cause.
    simplify_m: float = _switchable(0.6)
    # A road that ends this near the border, its mask reaching the border, is drawn on to it.
    border_m: float = _switchable(15.0)
    # Junctions nearer to each other than this many half-widths of their road are one junction.
    junction_merge: float = _switchable(1.5)
