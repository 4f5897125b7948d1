"""Ratios and means whose undefined cases follow one rule everywhere.

Where there is nothing to find and nothing is found, the value is nan, *not scored*: means leave it
out, and say how many values they have. Finding nothing where there is something scores 0, and so
does finding something where there is nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

# Counts of a tile that add up over tiles, by name.
Tally = dict[str, float]

NOT_SCORED = math.nan


def share(part: float, whole: float, *, other_empty: bool) -> float:
    """`part / whole`; where `whole` is 0: nan if the other side is empty too, else 0."""
    if whole > 0:
        return part / whole
    return NOT_SCORED if other_empty else 0.0


def harmonic_mean(first: float, second: float) -> float:
    """Harmonic mean of two shares (F1 of precision and recall); 0 where one is not positive."""
    if math.isnan(first) and math.isnan(second):
        return NOT_SCORED
    if not (first > 0 and second > 0):
        return 0.0
    return 2 * first * second / (first + second)


def mean_scored(values: Iterable[float]) -> tuple[float, int]:
    """The mean of the values that are not nan, and their number; nan if there are none."""
    scored = [value for value in values if not math.isnan(value)]
    return (math.fsum(scored) / len(scored) if scored else NOT_SCORED), len(scored)
