"""Connected components and cycles: the Betti numbers of the networks, and their errors.

Betti 0 is the number of connected parts, Betti 1 the number of independent cycles, edges - nodes +
parts (as in Hu et al. 2019, Topology-preserving deep image segmentation, of whole networks here).
Errors are absolute differences, counts without units and without a direction; 0 is best.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from roadex.metrics.pair import Pair
from roadex.metrics.ratios import Tally
from roadex.metrics.roads import Roads


def tally(pair: Pair) -> Tally:
    """Betti numbers of both networks, and the errors, which add up over tiles."""
    real, drawn = betti(pair.real), betti(pair.drawn)
    return {
        "truth_components": real[0],
        "proposal_components": drawn[0],
        "component_error": abs(real[0] - drawn[0]),
        "truth_cycles": real[1],
        "proposal_cycles": drawn[1],
        "cycle_error": abs(real[1] - drawn[1]),
    }


def scores(counts: Tally) -> dict[str, float]:
    """betti0_error (connected parts) and betti1_error (independent cycles)."""
    return {"betti0_error": counts["component_error"], "betti1_error": counts["cycle_error"]}


def betti(roads: Roads) -> tuple[int, int]:
    """Connected parts and independent cycles of the roads; nodes without a road do not count."""
    if roads.is_empty:
        return 0, 0
    used, ends = np.unique(roads.ends, return_inverse=True)
    ends = ends.reshape(-1, 2)
    links = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(used), len(used)))
    parts = int(connected_components(links, directed=False)[0])
    return parts, len(ends) - len(used) + parts
