"""Shares of routes that the proposal makes too long, too short, or does not have.

Source: Wegner, Montoya-Zegarra and Schindler (2013), A higher-order CRF model for road network
extraction: there a route is wrong when its length is off by more than 5 %. Here all routes of the
truth between APLS's control points are compared, not a random sample. Direction: truth to proposal.
"""

from __future__ import annotations

import numpy as np

from roadex.metrics.apls.routes import Routes, count_missing, route_blocks
from roadex.metrics.pair import Pair
from roadex.metrics.ratios import Tally, share

KINDS = ("correct", "too_long", "too_short", "missing")


def tally(pair: Pair) -> Tally:
    """Routes of the truth by their outcome; a pair of places makes two routes.

    `unasked` counts a proposal where the truth is empty: none of its routes is right.
    """
    counts: Tally = dict.fromkeys(KINDS, 0)
    counts["unasked"] = int(pair.real.is_empty and not pair.drawn.is_empty)
    routes = pair.routes[0]
    if routes is not None:
        _sort(routes, pair.settings.path_tolerance, counts)
    return counts


def scores(counts: Tally) -> dict[str, float]:
    """correct, too_long, too_short and missing, as shares of all routes."""
    total = sum(counts[name] for name in KINDS)
    nothing = counts["unasked"] == 0
    return {name: share(counts[name], total, other_empty=nothing) for name in KINDS}


def _sort(routes: Routes, tolerance: float, counts: Tally) -> None:
    counts["missing"] += count_missing(routes)
    for block in route_blocks(routes):
        for part in (slice(None), slice(0, block.present)):
            found = (block.scored & ~block.missing)[part]
            own, other = block.own[part][found], block.other[part][found]
            long, short = other > own * (1 + tolerance), other < own * (1 - tolerance)
            counts["too_long"] += int(np.count_nonzero(long))
            counts["too_short"] += int(np.count_nonzero(short))
            counts["correct"] += int(found.sum() - np.count_nonzero(long | short))
            counts["missing"] += int(np.count_nonzero(block.missing[part]))
