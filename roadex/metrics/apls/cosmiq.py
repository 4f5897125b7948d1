"""APLS as Van Etten, Lindenbaum and Bacastow (2018, arXiv 1807.01232) and their program have it.

Control points are all nodes of a network and evenly spaced points on its edges; they are snapped
into the other network one after the other.
"""

from __future__ import annotations

import numpy as np

from roadex.config.metrics import AplsSettings
from roadex.metrics.apls.control_points import control_points
from roadex.metrics.apls.routes import RouteRules, Routes, all_missing
from roadex.metrics.apls.snapping import snap_points
from roadex.metrics.distances import DistanceMemo, Distances, take_anchors
from roadex.metrics.roads import Integers, Roads


def compare(real: Roads, drawn: Roads, settings: AplsSettings) -> tuple[Routes, Routes]:
    """The routes of the truth in the proposal, and those of the proposal in the truth."""
    memos = [DistanceMemo(len(roads.positions), roads.ends) for roads in (real, drawn)]
    return (
        _one_way(real, drawn, memos[0], memos[1], settings),
        _one_way(drawn, real, memos[1], memos[0], settings),
    )


def unmatched(roads: Roads, settings: AplsSettings) -> Routes:
    """The routes of a network whose other network has no road."""
    points = control_points(roads, settings.delta, settings.curved_eps)
    own = Distances(len(roads.positions), roads.ends, points.weights * roads.pace)
    chosen = _sample(len(points.positions), settings)
    anchors = take_anchors(own.anchors(points.places.paced(roads.pace)), chosen)
    rules = RouteRules(settings.route_minimum)
    return all_missing(points.positions[chosen], own, anchors, rules)


def _one_way(
    roads: Roads, other: Roads, memo: DistanceMemo, other_memo: DistanceMemo, settings: AplsSettings
) -> Routes:
    points = control_points(roads, settings.delta, settings.curved_eps)
    chosen = _sample(len(points.positions), settings)
    snapped = snap_points(points.positions[chosen], other, settings.snap, settings.renaming)
    own = memo.get(points.weights * roads.pace)
    there = other_memo.get(snapped.weights * other.pace)
    anchors = take_anchors(own.anchors(points.places.paced(roads.pace)), chosen)
    # Present points first, and points of one road together.
    order = np.lexsort((anchors.chain, anchors.first, ~snapped.found))
    present = int(snapped.found.sum())
    return Routes(
        points=points.positions[chosen][order],
        present=present,
        own=own,
        own_anchors=take_anchors(anchors, order),
        other=there,
        other_anchors=there.anchors(snapped.places.paced(other.pace).take(order[:present])),
        overtaken=snapped.overtaken,
        rules=RouteRules(settings.route_minimum),
    )


def _sample(count: int, settings: AplsSettings) -> Integers:
    """Numbers of the control points to score, in order."""
    if settings.sample == 0 or settings.sample >= count:
        return np.arange(count, dtype=np.int64)
    drawn = np.random.default_rng(settings.seed).choice(count, settings.sample, replace=False)
    return np.sort(drawn).astype(np.int64)
