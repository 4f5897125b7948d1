"""Means over seeds, their spread, and differences paired by seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from roadex.comparison.rows import Row
from roadex.runs.reading import is_known

CONFIDENCE = 0.95
RESAMPLES = 10_000
NAN = float("nan")


@dataclass(frozen=True)
class Spread:
    """A score over the seeds of a row.

    Attributes:
        mean: of the runs that have the score; NaN where none has.
        deviation: sample standard deviation (n - 1); NaN for a single run.
        count: runs that have it.
        scored, total: the fewest tiles scored in a run, of all its tiles; None where every pixel
            of the split is counted.
    """

    mean: float
    deviation: float
    count: int
    scored: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class Difference:
    """Row minus baseline, paired by seed.

    Attributes:
        mean: over the pairs; NaN where no seed is in both.
        low, high: 95 % percentile bootstrap interval of the mean; NaN for fewer than two pairs.
        pairs: seeds that both have.
    """

    mean: float
    low: float
    high: float
    pairs: int


def spread(row: Row, score: str) -> Spread:
    """Mean and spread of a test score over a row's runs."""
    values = [run.scores[score] for run in row.runs if is_known(run.scores.get(score, NAN))]
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else NAN
    mean = float(np.mean(values)) if values else NAN
    return Spread(mean, deviation, len(values), *_scored(row, score))


def _scored(row: Row, score: str) -> tuple[int, int] | tuple[None, None]:
    pairs = [
        (run.scores[f"{score}/n_scored"], run.scores[f"{score}/n_total"])
        for run in row.runs
        if f"{score}/n_scored" in run.scores
    ]
    if not pairs:
        return None, None
    scored, total = min(pairs)
    return int(scored), int(total)


def difference(row: Row, baseline: Row, score: str) -> Difference:
    """How much higher a row scores than the baseline with the same seeds."""
    own, other = _by_seed(row, score), _by_seed(baseline, score)
    gaps = np.array([own[seed] - other[seed] for seed in sorted(own.keys() & other.keys())])
    if len(gaps) == 0:
        return Difference(NAN, NAN, NAN, 0)
    low, high = mean_interval(gaps)
    return Difference(float(gaps.mean()), low, high, len(gaps))


def _by_seed(row: Row, score: str) -> dict[int, float]:
    """The score of each seed that has it; the mean where runs of one seed were mixed."""
    values: dict[int, list[float]] = {}
    for run in row.runs:
        if is_known(value := run.scores.get(score, NAN)):
            values.setdefault(run.seed, []).append(value)
    return {seed: math.fsum(found) / len(found) for seed, found in values.items()}


def mean_interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of a mean; NaN for fewer than two values.

    The same figures every time: the resampling has a seed of its own.
    """
    if len(values) < 2:
        return NAN, NAN
    interval = bootstrap(
        (values,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="percentile",
        random_state=0,
    ).confidence_interval
    return float(interval.low), float(interval.high)
