"""APLS as Van Etten, Lindenbaum and Bacastow (2018, arXiv 1807.01232) and their program have it.

Routes between all control points of one network are compared with the routes between the same
points snapped into the other: the cost of a route is min(1, |d - d'| / d), 1 where it is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roadex.metrics.control_points import control_points
from roadex.metrics.distances import Anchors, Distances, take_anchors
from roadex.metrics.roads import Floats, Integers, Roads
from roadex.metrics.settings import AplsSettings
from roadex.metrics.snapping import Snapped, snap_points

# Sources whose routes are in memory at a time.
BLOCK = 128


@dataclass(frozen=True)
class Direction:
    """The routes of one network and how the other follows them, before any is measured.

    Attributes:
        points: (p, 2) positions of the control points scored, x, y in metres: first the ones that
            the other network has, `present` of them, then the missing ones.
        present: how many of them the other network has.
        own, other: distances on the two networks, with the points' anchors there; `other_anchors`
            covers the present ones only.
        snapped: what became of the control points in the other network, in their original order.
    """

    points: Floats
    present: int
    own: Distances
    own_anchors: Anchors
    other: Distances
    other_anchors: Anchors
    min_path: float
    snapped: Snapped


@dataclass(frozen=True)
class RouteBlock:
    """Routes from a block of present sources, (t, s) arrays over targets and sources.

    `targets` are numbered from the first source on, so each pair of points occurs once.
    `cost` is nan where a route is not scored: not connected, too short, or a point to itself.
    """

    sources: Integers
    targets: Integers
    own: Floats
    other: Floats
    cost: Floats


def compare(roads: Roads, other: Roads, settings: AplsSettings) -> Direction:
    """Prepare the comparison of one network's routes with the other's."""
    points = control_points(roads, settings.delta, settings.curved_eps)
    chosen = _sample(len(points.positions), settings)
    snapped = snap_points(points.positions[chosen], other, settings.snap, settings.renaming)
    own = Distances(len(roads.positions), roads.ends, points.weights)
    anchors = take_anchors(own.anchors(points.places), chosen)
    there = Distances(len(other.positions), other.ends, snapped.weights)
    order = _present_first(anchors, snapped.found)
    present = int(snapped.found.sum())
    return Direction(
        points=points.positions[chosen][order],
        present=present,
        own=own,
        own_anchors=take_anchors(anchors, order),
        other=there,
        other_anchors=there.anchors(snapped.places.take(order[:present])),
        min_path=settings.min_path,
        snapped=snapped,
    )


def route_blocks(direction: Direction, size: int = BLOCK) -> Iterator[RouteBlock]:
    """Measure the routes between present points, and from present to missing ones."""
    total = len(direction.points)
    for low in range(0, direction.present, size):
        high = min(low + size, direction.present)
        sources, targets = np.arange(low, high), np.arange(low, total)
        own = direction.own.block(
            take_anchors(direction.own_anchors, slice(low, high)),
            take_anchors(direction.own_anchors, slice(low, None)),
        )
        other = np.full_like(own, np.inf)
        other[: direction.present - low] = direction.other.block(
            take_anchors(direction.other_anchors, slice(low, high)),
            take_anchors(direction.other_anchors, slice(low, None)),
        )
        yield RouteBlock(sources, targets, own, other, _cost(own, other, direction.min_path))


def _cost(own: Floats, other: Floats, min_path: float) -> Floats:
    """Cost of each route (t, s); nan where not scored, and below the diagonal of the pairs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        cost = np.abs(own - other)
        cost /= own
    np.fmin(cost, 1.0, out=cost)
    cost[(own < min_path) | np.isinf(own) | (own <= 0)] = np.nan
    sources = own.shape[1]
    cost[:sources][np.tri(sources, dtype=bool).T] = np.nan
    return cost


def _sample(count: int, settings: AplsSettings) -> NDArray[np.int64]:
    """Numbers of the control points to score, in order."""
    if settings.sample == 0 or settings.sample >= count:
        return np.arange(count, dtype=np.int64)
    drawn = np.random.default_rng(settings.seed).choice(count, settings.sample, replace=False)
    return np.sort(drawn).astype(np.int64)


def _present_first(anchors: Anchors, found: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Present points before missing ones, points of one road together."""
    return np.lexsort((anchors.chain, anchors.first, ~found)).astype(np.int64)


@dataclass(frozen=True)
class DirectionScore:
    """One direction's score and what it was counted from; routes are counted both ways.

    Attributes:
        value: 1 - mean cost; 0 where no route is scored.
        control_points: the points scored.
        missing_points: those that the other network lacks.
        overtaken_points: those among them that lost their place to a later point (renaming).
        routes: the routes scored.
        missing_routes: those with a missing end or without a way in the other network.
        cost: the summed cost.
    """

    value: float
    control_points: int
    missing_points: int
    overtaken_points: int
    routes: int
    missing_routes: int
    cost: float


def score_direction(direction: Direction) -> DirectionScore:
    """Mean cost over all ordered pairs of control points that are connected in the own network."""
    routes, missing, cost = _routes_from_missing(direction)
    for block in route_blocks(direction):
        scored = block.cost[~np.isnan(block.cost)]
        both = block.targets < direction.present
        inside = block.cost[both]
        inside = inside[~np.isnan(inside)]
        routes += scored.size + inside.size
        cost += float(scored.sum() + inside.sum())
        lost = ~np.isnan(block.cost) & np.isinf(block.other)
        missing += int(lost.sum() + lost[both].sum())
    found = direction.snapped.found
    return DirectionScore(
        value=1 - cost / routes if routes else 0.0,
        control_points=len(found),
        missing_points=int(len(found) - found.sum()),
        overtaken_points=direction.snapped.overtaken,
        routes=routes,
        missing_routes=missing,
        cost=cost,
    )


def _routes_from_missing(direction: Direction) -> tuple[int, int, float]:
    """Routes that begin at a missing point: each costs 1, however short it is."""
    component = direction.own.component_of(direction.own_anchors)
    sizes = np.bincount(component)
    count = int((sizes[component[direction.present :]] - 1).sum())
    return count, count, float(count)
