"""Routes between the control points of one network, compared with the other network's.

Both flavours of APLS end here: they differ in how control points are chosen and snapped, and in
what a missing point costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roadex.metrics.distances import Anchors, Distances, take_anchors
from roadex.metrics.roads import Floats, Integers

Flags = NDArray[np.bool_]

# Routes of no length have no relative error.
TINY = 1e-12
# Sources whose routes are in memory at a time.
BLOCK = 128


@dataclass(frozen=True)
class RouteRules:
    """Which routes count.

    Attributes:
        min_path: shorter routes are not scored (metres).
        missing_always: whether a pair with a missing point always costs 1. Otherwise it does so
            only where its points are connected in the own network, and a route to (not from) a
            missing point only where it is long enough.
    """

    min_path: float
    missing_always: bool = False


@dataclass(frozen=True)
class Routes:
    """The control points of one network, there and in the other.

    Attributes:
        points: (p, 2) positions x, y in metres: first the `present` ones that the other network
            has, then the missing ones.
        own, own_anchors: the own network's distances, and where all points lie on it.
        other, other_anchors: the other network's, and where the present points lie on it.
        overtaken: how many missing points lost their place to a later point.
    """

    points: Floats
    present: int
    own: Distances
    own_anchors: Anchors
    other: Distances
    other_anchors: Anchors
    overtaken: int
    rules: RouteRules


@dataclass(frozen=True)
class RouteBlock:
    """Routes from a block of sources, (t, s) arrays over targets and sources.

    Sources and targets are numbers of control points, the targets counted from the first source on,
    so that a pair of points occurs once, and only those in a connected part of the network with a
    source; the first `present` of them are there in the other network. `own` and `other` are route
    lengths in metres, infinite where there is no route. `scored` says which routes count, `missing`
    which of them the other network lacks, and `cost` is 0 where a route does not count.
    """

    sources: Integers
    targets: Integers
    present: int
    own: Floats
    other: Floats
    cost: Floats
    scored: Flags
    missing: Flags


@dataclass(frozen=True)
class DirectionScore:
    """One direction of APLS and what it was counted from; a pair of points makes two routes.

    Attributes:
        value: 1 - mean cost; 0 where no route is scored.
        control_points: the points scored.
        missing_points: those that the other network lacks.
        overtaken_points: those of them that lost their place to a later point (renaming).
        routes: the routes scored.
        missing_routes: those with a missing end, or without a way in the other network.
        cost: the summed cost.
    """

    value: float
    control_points: int
    missing_points: int
    overtaken_points: int
    routes: int
    missing_routes: int
    cost: float


def all_missing(points: Floats, own: Distances, anchors: Anchors, rules: RouteRules) -> Routes:
    """The score where the other network has none of the routes."""
    nowhere = take_anchors(anchors, slice(0, 0))
    return Routes(points, 0, own, anchors, own, nowhere, 0, rules)


def score_routes(routes: Routes) -> DirectionScore:
    """Mean cost of the routes, min(1, |own - other| / own) each, 1 where missing."""
    count = missing = count_missing(routes)
    cost = float(count)
    for block in route_blocks(routes):
        # A route between present points is counted again on its way back.
        for part in (slice(None), slice(0, block.present)):
            count += int(np.count_nonzero(block.scored[part]))
            missing += int(np.count_nonzero(block.missing[part]))
            cost += float(block.cost[part].sum())
    points = len(routes.points)
    return DirectionScore(
        value=1 - cost / count if count else 0.0,
        control_points=points,
        missing_points=points - routes.present,
        overtaken_points=routes.overtaken,
        routes=count,
        missing_routes=missing,
        cost=cost,
    )


def route_blocks(routes: Routes, size: int = BLOCK) -> Iterator[RouteBlock]:
    """Measure the routes between present points, and those from present to missing ones."""
    present = routes.present
    total = present if routes.rules.missing_always else len(routes.points)
    component = routes.own.component_of(routes.own_anchors)[:total]
    for low in range(0, present, size):
        sources = np.arange(low, min(low + size, present))
        targets = low + np.flatnonzero(np.isin(component[low:], component[sources]))
        here = int(np.searchsorted(targets, present))
        own = routes.own.block(
            take_anchors(routes.own_anchors, sources), take_anchors(routes.own_anchors, targets)
        )
        other = np.full_like(own, np.inf)
        other[:here] = routes.other.block(
            take_anchors(routes.other_anchors, sources),
            take_anchors(routes.other_anchors, targets[:here]),
        )
        cost, scored = _cost(own, other, routes.rules.min_path)
        missing = scored & np.isinf(other)
        yield RouteBlock(sources, targets, here, own, other, cost, scored, missing)


def _cost(own: Floats, other: Floats, min_path: float) -> tuple[Floats, Flags]:
    """The cost of each route (t, s), and which routes count: the second of a pair does not."""
    scored = (own >= max(min_path, TINY)) & (own < np.inf)
    sources = own.shape[1]
    scored[:sources] &= ~np.tri(sources, dtype=bool).T
    with np.errstate(invalid="ignore", divide="ignore"):
        cost = np.abs(own - other)
        cost /= own
    np.fmin(cost, 1.0, out=cost)
    cost *= scored
    return cost, scored


def count_missing(routes: Routes) -> int:
    """Routes that cost 1 without being measured: those from missing points, or from and to them."""
    points = len(routes.points)
    if routes.rules.missing_always:
        return points * (points - 1) - routes.present * (routes.present - 1)
    component = routes.own.component_of(routes.own_anchors)
    sizes = np.bincount(component)
    return int((sizes[component[routes.present :]] - 1).sum())
