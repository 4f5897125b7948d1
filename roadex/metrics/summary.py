"""All metrics of a pair by flat keys, and many pairs in parallel with their means.

A metric counts first and divides afterwards: its counts add up over tiles, so that a folder has
means over its tiles and the scores of all tiles together ("pooled").
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import networkx as nx
from tqdm import tqdm

from roadex.config.metrics import MetricSettings
from roadex.errors import RoadexError
from roadex.metrics import junctions, lengths, masks, paths, topology
from roadex.metrics.apls.score import compare_times
from roadex.metrics.apls.score import pooled as pooled_apls
from roadex.metrics.apls.score import score as score_apls
from roadex.metrics.apls.score import tally as tally_apls
from roadex.metrics.pair import Pair
from roadex.metrics.ratios import NOT_SCORED, Tally, harmonic_mean, mean_scored
from roadex.metrics.topo.score import compare as compare_topo
from roadex.metrics.topo.score import pooled as pooled_topo
from roadex.metrics.topo.score import tally as tally_topo
from roadex.parallel import settle_in

Scores = dict[str, float]


@dataclass(frozen=True)
class Metric:
    """A metric by its two steps: counts of a pair, and scores from (summed) counts."""

    tally: Callable[[Pair], Tally]
    scores: Callable[[Tally, MetricSettings], Scores]


def _plain(scores: Callable[[Tally], Scores]) -> Callable[[Tally, MetricSettings], Scores]:
    return lambda counts, settings: scores(counts)


METRICS: dict[str, Metric] = {
    "apls": Metric(
        lambda pair: tally_apls(score_apls(pair.routes, pair.settings.apls)),
        lambda counts, settings: pooled_apls(counts, settings.apls),
    ),
    "apls_time": Metric(
        lambda pair: tally_apls(
            score_apls(
                compare_times(pair.truth, pair.proposal, pair.settings.apls), pair.settings.apls
            )
        ),
        lambda counts, settings: pooled_apls(counts, settings.apls),
    ),
    "topo": Metric(
        lambda pair: tally_topo(compare_topo(pair.real, pair.drawn, pair.settings.topo)),
        _plain(pooled_topo),
    ),
    "length": Metric(lengths.tally, _plain(lengths.scores)),
    "junctions": Metric(junctions.tally, _plain(junctions.scores)),
    "paths": Metric(paths.tally, _plain(paths.scores)),
    "topology": Metric(topology.tally, _plain(topology.scores)),
    "relaxed": Metric(masks.relaxed_tally, _plain(masks.relaxed_scores)),
    "cldice": Metric(masks.cldice_tally, _plain(masks.cldice_scores)),
}
# Travel times are scored only if asked for.
USUAL = tuple(name for name in METRICS if name != "apls_time")


@dataclass(frozen=True)
class PairScore:
    """The scores of one pair by flat key (`apls`, `topo/f1`, ...), and the counts behind them."""

    name: str
    scores: Scores
    counts: Tally


@dataclass(frozen=True)
class Job:
    """A pair to be scored, with the function that reads it in the process that scores it."""

    name: str
    load: Callable[[], tuple[nx.MultiGraph, nx.MultiGraph]]


def score_pair(
    truth: nx.MultiGraph,
    proposal: nx.MultiGraph,
    settings: MetricSettings | None = None,
    metrics: Sequence[str] = USUAL,
) -> Scores:
    """Score a proposal against the truth (networks as in roadex.graph.network, in metres).

    Returns:
        Scores by flat key: `apls`, `apls/truth_to_proposal`, `topo/f1`, ... All are nan (not
        scored) where both networks are empty.

    Raises:
        RoadexError: a metric's name is not known.
    """
    return _score("", truth, proposal, settings or MetricSettings(), metrics).scores


def score_many(
    jobs: Sequence[Job],
    settings: MetricSettings,
    metrics: Sequence[str] = USUAL,
    workers: int = 0,
) -> list[PairScore]:
    """Score many pairs, in order, over `workers` processes (0: one per core), with a bar.

    Raises:
        RoadexError: a metric's name is not known, or one of the processes was ended.
    """
    check_names(metrics)
    count = min(workers or os.cpu_count() or 1, len(jobs))
    tasks = [(job, settings, tuple(metrics)) for job in jobs]
    # disable=None: a bar on terminals only.
    if count <= 1:
        return [
            _run(task)
            for task in tqdm(tasks, desc="scoring", unit="pair", leave=False, disable=None)
        ]
    size = max(1, min(8, len(tasks) // (4 * count)))
    bar = tqdm(desc="scoring", unit="pair", total=len(tasks), leave=False, disable=None)
    try:
        with bar, _pool(count) as pool:
            scored = []
            for result in pool.map(_run, tasks, chunksize=size):
                scored.append(result)
                bar.update()
            return scored
    except BrokenExecutor as error:
        raise RoadexError(
            f"one of {count} processes was ended, perhaps for want of memory: set workers=1"
        ) from error


def _pool(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, get_context("spawn"), initializer=settle_in)


def mean_scores(results: Iterable[PairScore]) -> Scores:
    """The mean of each score over the pairs that have it, with KEY/n_scored and KEY/n_total.

    TOPO's F1 is computed from the mean precision and the mean recall, as in the papers.
    """
    results = list(results)
    keys = list(dict.fromkeys(key for result in results for key in result.scores))
    means: Scores = {}
    for key in keys:
        value, scored = mean_scored(result.scores[key] for result in results)
        means |= {key: value, f"{key}/n_scored": scored, f"{key}/n_total": len(results)}
    if "topo/f1" in means:
        precision, recall = means["topo/precision"], means["topo/recall"]
        means["topo/f1"] = harmonic_mean(precision, recall)
    return means


def pooled_scores(results: Iterable[PairScore], settings: MetricSettings) -> Scores:
    """The scores of all pairs together: from their summed counts."""
    total: Tally = {}
    for result in results:
        for key, count in result.counts.items():
            total[key] = total.get(key, 0) + count
    names = [name for name in METRICS if any(key.startswith(f"{name}/") for key in total)]
    return _scores({name: _below(name, total) for name in names}, settings)


def check_names(metrics: Sequence[str]) -> None:
    """Refuse a metric that does not exist."""
    for name in metrics:
        if name not in METRICS:
            raise RoadexError(f"metrics={name}: choose among {', '.join(METRICS)}")


def _run(task: tuple[Job, MetricSettings, tuple[str, ...]]) -> PairScore:
    job, settings, metrics = task
    truth, proposal = job.load()
    return _score(job.name, truth, proposal, settings, metrics)


def _score(
    name: str,
    truth: nx.MultiGraph,
    proposal: nx.MultiGraph,
    settings: MetricSettings,
    metrics: Sequence[str],
) -> PairScore:
    check_names(metrics)
    pair = Pair(truth, proposal, settings)
    counts = {metric: METRICS[metric].tally(pair) for metric in metrics}
    scores = _scores(counts, settings)
    if pair.is_empty:
        scores = dict.fromkeys(scores, NOT_SCORED)
    flat = {f"{metric}/{key}": count for metric in metrics for key, count in counts[metric].items()}
    return PairScore(name, scores, flat)


def _scores(counts: dict[str, Tally], settings: MetricSettings) -> Scores:
    scores: Scores = {}
    for name, tally in counts.items():
        for key, value in METRICS[name].scores(tally, settings).items():
            scores[f"{name}/{key}".rstrip("/")] = value
    return scores


def _below(name: str, counts: Tally) -> Tally:
    prefix = f"{name}/"
    return {key[len(prefix) :]: count for key, count in counts.items() if key.startswith(prefix)}
