"""Why a score is low: the missing, false and broken links, and what each of them costs.

The routes of each network run over segments between neighbouring control points. A segment is bad
if the other network lacks it, or joins its ends by a much longer way or not at all. Bad segments
that belong together are one cause; the cost of a route is shared equally among the causes on its
way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import networkx as nx
import numpy as np
from scipy.sparse.csgraph import dijkstra

from roadex.config.metrics import AplsSettings
from roadex.metrics.diagnosis.blame import DISPLACED, Blame, Lossy, share_out
from roadex.metrics.diagnosis.segments import Side, cut_side
from roadex.metrics.ratios import NOT_SCORED, harmonic_mean
from roadex.metrics.roads import Floats, Roads, as_roads, cumulative_lengths

WORST_ROUTES = 10
# A route is not shown if both its ends lie this near to the ends of a worse one.
ROUTE_SPACING_M = 60.0

MISSING, BROKEN, DETOUR = "missing link", "broken junction", "detour"
FALSE, FALSE_JUNCTION, SHORT_CUT = "false link", "false junction", "false short cut"
DISPLACED_POINTS = "displaced points"
KINDS = (MISSING, BROKEN, DETOUR, FALSE, FALSE_JUNCTION, SHORT_CUT, DISPLACED_POINTS)


@dataclass(frozen=True)
class Cause:
    """A place that costs score.

    Attributes:
        kind: one of KINDS: what is wrong with the proposal there.
        lines: its polylines (k, 2), x, y in metres.
        share: its part of the loss of both directions together.
        routes: how many costly routes run over it.
    """

    kind: str
    lines: list[Floats]
    share: float
    routes: int

    @property
    def length(self) -> float:
        """Metres of road."""
        return float(sum(cumulative_lengths(line)[-1] for line in self.lines))

    @property
    def centre(self) -> Floats:
        """The point (x, y) on it that is nearest to its middle."""
        points = np.concatenate(self.lines)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        return np.asarray(points[np.square(points - middle).sum(axis=1).argmin()])


@dataclass(frozen=True)
class Route:
    """A costly route: its way (k, 2) in its own network, its lengths in both (metres), its cost."""

    of_truth: bool
    line: Floats
    own: float
    other: float
    cost: float


@dataclass(frozen=True)
class Diagnosis:
    """What the APLS of a pair lost, and where.

    Attributes:
        truth, proposal: the networks.
        value, truth_to_proposal, proposal_to_truth: the score, from the routes looked at.
        causes: the most expensive first; their shares and `unexplained` add up to 1.
        unexplained: the share of the loss that comes from routes without a bad segment.
        routes: the worst routes, no two between nearly the same places.
        sampled: whether only the routes of a sample of control points were looked at.
    """

    truth: Roads
    proposal: Roads
    value: float
    truth_to_proposal: float
    proposal_to_truth: float
    causes: list[Cause]
    unexplained: float
    routes: list[Route]
    sampled: bool

    def shares(self) -> dict[str, float]:
        """Share of the loss by kind of cause, and the unexplained share."""
        shares = dict.fromkeys(KINDS, 0.0)
        for cause in self.causes:
            shares[cause.kind] += cause.share
        return {**shares, "unexplained": self.unexplained}


def diagnose(truth: nx.MultiGraph, proposal: nx.MultiGraph, settings: AplsSettings) -> Diagnosis:
    """Explain the APLS of a pair (networks as in roadex.graph.network, in metres).

    The routes are those of the cosmiq algorithm, whichever preset the settings belong to.
    """
    settings = replace(settings, algorithm="cosmiq", merge_degree_two=False)
    real, drawn = as_roads(truth), as_roads(proposal)
    sides = [
        cut_side(roads, other, settings, roads is real)
        for roads, other in ((real, drawn), (drawn, real))
        if not roads.is_empty
    ]
    partners = sides[::-1] if len(sides) == 2 else [None]
    blames = [
        share_out(side, partner, settings.route_minimum, settings.seed)
        for side, partner in zip(sides, partners, strict=False)
    ]
    total = sum(blame.loss for blame in blames) or 1.0
    causes = _causes({side.of_truth: side for side in sides}, blames, total)
    routes = [r for s, b in zip(sides, blames, strict=True) for r in _worst(s, b)]
    values = [1 - blame.loss for blame in blames]
    if len(sides) < 2:
        values = [0.0, 0.0] if sides else [NOT_SCORED, NOT_SCORED]
    return Diagnosis(
        truth=real,
        proposal=drawn,
        value=harmonic_mean(values[0], values[1]),
        truth_to_proposal=values[0],
        proposal_to_truth=values[1],
        causes=sorted(causes, key=lambda cause: -cause.share),
        unexplained=sum(blame.unexplained for blame in blames) / total,
        routes=_spread(sorted(routes, key=lambda route: (-route.cost, -route.own))),
        sampled=any(blame.sampled for blame in blames),
    )


def _causes(sides: dict[bool, Side], blames: list[Blame], total: float) -> list[Cause]:
    """The causes of both directions: each may be blamed in both."""
    keys = dict.fromkeys(key for blame in blames for key in blame.by_cause)
    return [
        Cause(
            *_describe(sides[key[0]], key[1]),
            share=sum(blame.by_cause.get(key, 0.0) for blame in blames) / total,
            routes=sum(blame.routes.get(key, 0) for blame in blames),
        )
        for key in keys
    ]


def _describe(side: Side, number: int) -> tuple[str, list[Floats]]:
    """The kind of a cause, and its polylines."""
    if number == DISPLACED:
        displaced = side.placed & ~side.found
        members = np.flatnonzero(displaced[side.ends].any(axis=1))
        return DISPLACED_POINTS, [side.lines[segment] for segment in members]
    members = np.flatnonzero(side.cause == number)
    lines = [side.lines[segment] for segment in members]
    if side.lost[members].any():
        return (MISSING if side.of_truth else FALSE), lines
    if np.isinf(side.excess[members]).any():
        return (BROKEN if side.of_truth else FALSE_JUNCTION), lines
    return (DETOUR if side.of_truth else SHORT_CUT), lines


def _worst(side: Side, blame: Blame) -> list[Route]:
    """The worst routes of a direction, more than are shown."""
    ranked = sorted(blame.worst, key=lambda lossy: (-lossy.cost, -lossy.own))
    return [_route(side, lossy) for lossy in ranked[: 20 * WORST_ROUTES]]


def _route(side: Side, lossy: Lossy) -> Route:
    before = dijkstra(side.matrix, directed=False, indices=lossy.source, return_predecessors=True)[
        1
    ]
    way = [lossy.target]
    while way[-1] != lossy.source:
        way.append(int(before[way[-1]]))
    lines = []
    for u, v in pairwise(way):
        segment = side.by_ends[min(u, v), max(u, v)]
        line = side.lines[segment]
        lines.append(line if side.ends[segment, 0] == u else line[::-1])
    return Route(side.of_truth, np.concatenate(lines), lossy.own, lossy.other, lossy.cost)


def _spread(routes: list[Route]) -> list[Route]:
    """The first routes, without those that begin and end beside one already taken."""
    taken: list[Route] = []
    for route in routes:
        if len(taken) == WORST_ROUTES:
            break
        if not any(_beside(route, other) for other in taken):
            taken.append(route)
    return taken


def _beside(route: Route, other: Route) -> bool:
    ends = route.line[[0, -1]]
    gaps = [np.linalg.norm(ends - other.line[order], axis=1).max() for order in ([0, -1], [-1, 0])]
    return bool(min(gaps) < ROUTE_SPACING_M)
