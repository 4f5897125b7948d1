"""TOPO in Sat2Graph's flavour: walks from many places, compared sample by sample.

Source: the metric of Biagioni and Eriksson (2012), as the Sat2Graph program computes it
(commit 7ca4a34). Angles of about 16 and 45 degrees are stated there as 1 - |cos|.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import networkx as nx
import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, hstack
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree

from roadex.config.metrics import TopoSettings
from roadex.metrics.ratios import NOT_SCORED, Tally, harmonic_mean, share
from roadex.metrics.roads import Floats, Integers, Roads, as_through_roads
from roadex.metrics.topo.walks import Spots, Walker

START_ANGLE, SAMPLE_ANGLE = 0.04, 0.29
# A start with this precision stays even where another lies beside it.
GOOD_PRECISION = 0.9
# The region around the truth, and the share of its side along its border without starts.
REGION_X, REGION_Y, BORDER = 500.0, 300.0, 0.07


@dataclass(frozen=True)
class TopoScore:
    """TOPO of a proposal.

    Attributes:
        precision: share of the proposal's samples that match the truth, mean over the kept starts.
        recall: share of the truth's samples that match, mean over the kept starts, times the share
            of the starts that were kept.
        f1: their harmonic mean.
        starts: starting points on the truth.
        paired: those with a proposal road beside them.
        kept: those of them left after thinning.
        precision_sum, recall_sum: over the kept starts, so that tiles can be pooled.
    """

    precision: float
    recall: float
    f1: float
    starts: int = 0
    paired: int = 0
    kept: int = 0
    precision_sum: float = 0.0
    recall_sum: float = 0.0


def topo(
    truth: nx.MultiGraph, proposal: nx.MultiGraph, settings: TopoSettings | None = None
) -> TopoScore:
    """Score a proposal against the truth (networks as in roadex.graph.network, in metres).

    An empty proposal or an empty truth alone scores 0; both empty are not scored (nan). Where the
    reference finds no place to start from (lone rings, roads too short or along the border), the
    middle of each road is one.
    """
    return compare(as_through_roads(truth), as_through_roads(proposal), settings or TopoSettings())


def compare(real: Roads, drawn: Roads, settings: TopoSettings) -> TopoScore:
    """The same for networks whose roads run through nodes of degree 2."""
    if real.is_empty:
        return _all(NOT_SCORED if drawn.is_empty else 0.0, 0)
    walker = Walker(real)
    starts = _off_border(walker.starting_points(settings.start_spacing), real)
    tiny = len(starts) == 0
    if tiny:
        starts = walker.middles()
    turns = _turns(starts, real, settings)
    if drawn.is_empty:
        return _all(0.0, int(turns.sum()))
    return _score(walker, Walker(drawn), starts, turns, settings, 1.0 if tiny else 0.0)


def tally(score: TopoScore) -> Tally:
    """The counts of a score, which add up over tiles.

    `unasked` counts a proposal where the truth is empty.
    """
    names = ("starts", "paired", "kept", "precision_sum", "recall_sum")
    unasked = score.starts == 0 and not math.isnan(score.f1)
    return {**{name: getattr(score, name) for name in names}, "unasked": int(unasked)}


def pooled(counts: Tally) -> dict[str, float]:
    """The score of the starting points of many tiles together, from their summed counts."""
    nothing = counts["starts"] == 0 and counts["unasked"] == 0
    precision = share(counts["precision_sum"], counts["kept"], other_empty=nothing)
    recall = share(counts["recall_sum"], counts["starts"], other_empty=nothing)
    return {"precision": precision, "recall": recall, "f1": harmonic_mean(precision, recall)}


def _all(value: float, starts: int) -> TopoScore:
    return TopoScore(value, value, value, starts)


def _score(
    walker: Walker,
    other: Walker,
    starts: Spots,
    turns: Integers,
    settings: TopoSettings,
    without_samples: float,
) -> TopoScore:
    paired, places = other.nearest(starts, settings.start_match, START_ANGLE)
    starts_paired = starts.take(paired)
    pairs = [
        _compare(
            _walk(walker, starts_paired, index, settings),
            _walk(other, places, index, settings),
            settings.match,
            without_samples,
        )
        for index in range(len(paired))
    ]
    each = np.repeat(np.arange(len(paired)), turns[paired])
    scores = np.array(pairs, dtype=float).reshape(-1, 2)[each]
    places, count = places.take(each), int(turns.sum())
    kept = _thin(scores[:, 0], places, other, settings.thin)
    if len(kept) == 0:
        return TopoScore(0.0, 0.0, 0.0, count, len(each))
    sums = scores[kept].sum(axis=0)
    precision, recall = float(sums[0] / len(kept)), float(sums[1] / count)
    return TopoScore(
        precision,
        recall,
        harmonic_mean(precision, recall),
        count,
        len(each),
        len(kept),
        float(sums[0]),
        float(sums[1]),
    )


def _turns(starts: Spots, truth: Roads, settings: TopoSettings) -> Integers:
    """How often each start counts: twice on a road of one straight piece, if so set."""
    straight = np.array([len(line) == 2 for line in truth.lines])
    return 1 + (straight[starts.road] & settings.straight_twice).astype(np.int64)


def _off_border(starts: Spots, truth: Roads) -> Spots:
    """The starts farther than a share of the region's side from its border."""
    points = np.concatenate(truth.lines)
    around = np.array([REGION_X, REGION_Y])
    low, high = points.min(axis=0) - around, points.max(axis=0) + around
    margin = BORDER * (high - low)
    inside = ((starts.positions > low + margin) & (starts.positions < high - margin)).all(axis=1)
    return starts.take(np.flatnonzero(inside))


def _walk(walker: Walker, spots: Spots, index: int, settings: TopoSettings) -> Spots:
    road, along = int(spots.road[index]), float(spots.along[index])
    return walker.walk(road, along, settings.radius, settings.spacing)


def _compare(
    truth: Spots, proposal: Spots, reach: float, without_samples: float
) -> tuple[float, float]:
    """Precision and recall of one start's samples; `without_samples` where neither has any.

    A truth sample may match two proposal samples for the precision (two-way roads may be drawn as
    two), one for the recall.
    """
    if len(truth) == len(proposal) == 0:
        return without_samples, without_samples
    if len(truth) == 0 or len(proposal) == 0:
        return 0.0, 0.0
    near = _near_pairs(truth, proposal, reach)
    single = _matched(near)
    double = _matched(hstack([near, near], format="csr"))
    return double / len(proposal), single / len(truth)


def _near_pairs(truth: Spots, proposal: Spots, reach: float) -> csr_matrix:
    """Which proposal samples (rows) may match which truth samples (columns)."""
    found = cKDTree(proposal.positions).sparse_distance_matrix(
        cKDTree(truth.positions), reach, output_type="ndarray"
    )
    rows, columns = found["i"], found["j"]
    cosine = (proposal.directions[rows] * truth.directions[columns]).sum(axis=1)
    fits = (found["v"] < reach) & (1 - np.abs(cosine) < SAMPLE_ANGLE)
    rows, columns = rows[fits], columns[fits]
    shape = (len(proposal), len(truth))
    return coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=shape).tocsr()


def _matched(pairs: csr_matrix) -> int:
    """Size of the largest one-to-one matching (Hopcroft and Karp)."""
    return int((maximum_bipartite_matching(pairs, perm_type="column") >= 0).sum())


def _thin(precision: Floats, places: Spots, walker: Walker, reach: float) -> Integers:
    """The starts that are kept, the best first; a weak one near another on the proposal goes."""
    order = np.argsort(-precision, kind="stable")
    kept: list[int] = []
    for index in order.tolist():
        if precision[index] >= GOOD_PRECISION or not _beside(index, kept, places, walker, reach):
            kept.append(index)
    return np.array(kept, dtype=np.int64)


def _beside(index: int, kept: list[int], places: Spots, walker: Walker, reach: float) -> bool:
    """Whether a place lies within `reach` metres by road of one of the kept places."""
    road, along = int(places.road[index]), float(places.along[index])
    to_node = walker.from_spot(road, along, reach)
    others = places.take(np.array(kept, dtype=np.int64))
    first, second = walker.roads.ends[others.road].T
    over_first = to_node[first] + others.along
    over_second = to_node[second] + walker.lengths[others.road] - others.along
    direct = np.where(others.road == road, np.abs(others.along - along), np.inf)
    nearest = np.minimum(np.minimum(over_first, over_second), direct)
    return bool((nearest <= reach).any())
