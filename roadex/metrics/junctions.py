"""Junction precision, recall and F1: junctions matched one to one within a distance.

A junction is a node from which at least three roads leave (a ring leaves twice). The matching is
the largest possible, so it depends on no order. Recall looks from the truth to the proposal.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree

from roadex.metrics.pair import Pair
from roadex.metrics.ratios import Tally, harmonic_mean, share
from roadex.metrics.roads import Floats, Roads


def tally(pair: Pair) -> Tally:
    """Junctions of each network, and how many find a partner within `settings.junction_reach`."""
    real, drawn = junctions(pair.real), junctions(pair.drawn)
    matched = count_matches(real, drawn, pair.settings.junction_reach)
    return {"truth": len(real), "proposal": len(drawn), "matched": matched}


def scores(counts: Tally) -> dict[str, float]:
    """precision, recall and f1 of the junctions."""
    real, drawn, matched = counts["truth"], counts["proposal"], counts["matched"]
    precision = share(matched, drawn, other_empty=real == 0)
    recall = share(matched, real, other_empty=drawn == 0)
    return {"precision": precision, "recall": recall, "f1": harmonic_mean(precision, recall)}


def junctions(roads: Roads) -> Floats:
    """Positions (j, 2), x, y in metres, of the nodes where at least three ends of roads meet."""
    degree = np.bincount(roads.ends.ravel(), minlength=len(roads.positions))
    return roads.positions[degree >= 3]


def count_matches(points: Floats, others: Floats, reach: float) -> int:
    """Size of the largest one-to-one matching of points (p, 2) and (q, 2) within `reach`."""
    if len(points) == 0 or len(others) == 0:
        return 0
    found = cKDTree(points).sparse_distance_matrix(cKDTree(others), reach, output_type="ndarray")
    ones = np.ones(len(found), dtype=np.int8)
    pairs = coo_matrix((ones, (found["i"], found["j"])), shape=(len(points), len(others)))
    return int((maximum_bipartite_matching(pairs.tocsr(), perm_type="column") >= 0).sum())
