"""Means over seeds and folds, their spread, and differences paired by them or by tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import bootstrap, permutation_test

from roadex.comparison.rows import Row

CONFIDENCE = 0.95
RESAMPLES = 10_000
NAN = float("nan")


@dataclass(frozen=True)
class Spread:
    """A score over the runs of a row.

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
    """Row minus baseline, paired by seed and fold.

    Attributes:
        mean: over the pairs; NaN where no repeat is in both.
        low, high: 95 % percentile bootstrap interval of the mean; NaN for fewer than two pairs.
        pairs: repeats that both have.
    """

    mean: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True)
class TileDifference:
    """Row minus baseline over single tiles, each the mean of a row's runs.

    Attributes:
        mean: over the tiles that every run of both rows scores.
        low, high: 95 % percentile bootstrap interval of the mean over tiles.
        p: of a two-sided sign-flip permutation test that the mean is 0.
        tiles: how many they are; fewer than two have neither interval nor p.
    """

    mean: float
    low: float
    high: float
    p: float
    tiles: int


def spread(row: Row, score: str) -> Spread:
    """Mean and spread of a test score over a row's runs."""
    values = pd.Series([run.scores.get(score, NAN) for run in row.runs], dtype=float)
    scored = _scored(row, score)
    return Spread(float(values.mean()), float(values.std()), int(values.count()), *scored)


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
    gaps = (_by_repeat(row, score) - _by_repeat(baseline, score)).dropna().to_numpy(float)
    if len(gaps) == 0:
        return Difference(NAN, NAN, NAN, 0)
    low, high = mean_interval(gaps)
    return Difference(float(gaps.mean()), low, high, len(gaps))


def _by_repeat(row: Row, score: str) -> pd.Series:
    """The score of each seed and fold; the mean where runs of one were mixed."""
    values = pd.Series([run.scores.get(score, NAN) for run in row.runs], dtype=float)
    return values.groupby([str(run.repeat) for run in row.runs]).mean()


def tile_means(tables: Sequence[pd.DataFrame], score: str) -> pd.Series:
    """A score of each tile, the mean over repeats, without those that one of them does not score.

    Args:
        tables: as `roadex.runs.reading.read_tiles` gives them.
    """
    if not tables or any(score not in table for table in tables):
        return pd.Series(dtype=float)
    return pd.concat([table[score] for table in tables], axis=1).dropna().mean(axis=1)


def tile_difference(own: pd.Series, baseline: pd.Series) -> TileDifference:
    """What the tiles of both say of the difference of two series of `tile_means`."""
    gaps = (own - baseline).dropna().to_numpy(float)
    if len(gaps) == 0:
        return TileDifference(NAN, NAN, NAN, NAN, 0)
    low, high = mean_interval(gaps)
    return TileDifference(float(gaps.mean()), low, high, sign_flip_p(gaps), len(gaps))


def sign_flip_p(values: NDArray[np.float64]) -> float:
    """How often a mean so far from 0 comes about where the sign of every value is by chance.

    Exact for as few values as have no more sign patterns than there are resamples; else of a
    sample of them, the same every time. NaN for fewer than two values.
    """
    if len(values) < 2:
        return NAN
    found = permutation_test(
        (values,),
        lambda sample, axis: np.mean(sample, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        random_state=0,
    )
    return float(found.pvalue)


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
