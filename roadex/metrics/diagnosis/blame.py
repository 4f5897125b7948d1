"""Sharing out what each route costs among the bad segments on its way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from roadex.metrics.diagnosis.segments import Side
from roadex.metrics.roads import Floats, Integers

# If there are more control points than this, only the routes of a sample of them are examined.
MOST_SOURCES = 600
BLOCK = 64
# Costs below this are rounding.
NEGLIGIBLE = 1e-9
# The cause of points that lost their place to a later one (AplsSettings.renaming).
DISPLACED = -2

# A cause is one of the truth's (True) or of the proposal's (False), by its number there.
Key = tuple[bool, int]
Causes = frozenset[Key]
NONE: Causes = frozenset()


@dataclass(frozen=True)
class Lossy:
    """The worst route from one control point: its ends, lengths in metres, and cost."""

    source: int
    target: int
    own: float
    other: float
    cost: float


@dataclass
class Blame:
    """The loss of one direction.

    Attributes:
        loss: mean cost of the routes looked at.
        unexplained: the part of it on routes without a bad segment.
        by_cause: the other parts, by cause.
        routes: how many costly routes run over each cause.
        worst: the worst route of each source.
        sampled: whether only some sources were looked at.
    """

    loss: float = 0.0
    unexplained: float = 0.0
    by_cause: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    routes: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    worst: list[Lossy] = field(default_factory=list)
    sampled: bool = False


def share_out(side: Side, partner: Side | None, min_path: float, seed: int) -> Blame:
    """Measure the routes of a direction, and blame each one's cost on the causes on its way.

    Where the other network has a shorter route, the causes on that route are blamed: `partner` is
    the other direction, None where that network is empty.
    """
    blame = Blame()
    sources: Integers = np.arange(side.count, dtype=np.int64)
    if side.count > MOST_SOURCES:
        drawn = np.random.default_rng(seed).choice(side.count, MOST_SOURCES, replace=False)
        sources, blame.sampled = np.sort(drawn), True
    ways, there = _Ways(side), _Elsewhere(side, partner)
    total = 0
    for low in range(0, len(sources), BLOCK):
        total += _measure(side, ways, there, sources[low : low + BLOCK], min_path, blame)
    if total == 0:
        return Blame(loss=1.0, unexplained=1.0)
    blame.loss /= total
    blame.unexplained /= total
    blame.by_cause = {cause: cost / total for cause, cost in blame.by_cause.items()}
    return blame


class _Ways:
    """The causes that lie on the shortest ways of a network."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._by_segment: dict[tuple[int, int], Causes] = {}
        at_point: dict[int, set[Key]] = defaultdict(set)
        for (u, v), segment in side.by_ends.items():
            cause = int(side.cause[segment])
            if cause >= 0:
                key = (side.of_truth, cause)
                self._by_segment[u, v] = frozenset({key})
                at_point[u].add(key)
                at_point[v].add(key)
        displaced = set(np.flatnonzero(side.placed & ~side.found).tolist())
        gone = frozenset({(side.of_truth, DISPLACED)})
        self._of_missing = {
            point: gone if point in displaced else frozenset(at_point[point])
            for point in np.flatnonzero(~side.found).tolist()
        }

    def of_ends(self, source: int, target: int) -> Causes:
        """The causes of a route's ends that the other network lacks."""
        return self._of_missing.get(source, NONE) | self._of_missing.get(target, NONE)

    def from_sources(self, sources: Integers) -> Iterator[dict[int, Causes]]:
        """For each source, the causes on the way to each control point it reaches."""
        reached, before = dijkstra(
            self._side.matrix, directed=False, indices=sources, return_predecessors=True
        )
        for column, source in enumerate(sources.tolist()):
            on_way: dict[int, Causes] = {source: NONE}
            for target in np.argsort(reached[column], kind="stable").tolist():
                step = int(before[column, target])
                if step >= 0:
                    ends = (min(step, target), max(step, target))
                    on_way[target] = on_way[step] | self._by_segment.get(ends, NONE)
            yield on_way


class _Elsewhere:
    """The causes on the ways between the same places in the other network."""

    def __init__(self, side: Side, partner: Side | None) -> None:
        self._ways = _Ways(partner) if partner else None
        self._nearest = np.zeros(side.count, dtype=np.int64)
        if partner:
            self._nearest = cKDTree(partner.positions).query(side.positions)[1]

    def from_sources(self, sources: Integers) -> Iterator[dict[int, Causes]]:
        """For each source, the causes on the way to each of the other network's points."""
        if self._ways is None:
            return iter([{} for _ in sources])
        return self._ways.from_sources(self._nearest[sources])

    def of(self, target: int, on_way: dict[int, Causes]) -> Causes:
        """The causes on the way to the point nearest to one of this side's."""
        return on_way.get(int(self._nearest[target]), NONE)


def _measure(
    side: Side,
    ways: _Ways,
    there: _Elsewhere,
    sources: Integers,
    min_path: float,
    blame: Blame,
) -> int:
    """Add the routes from a block of sources; returns how many are scored."""
    own, other = side.distances(sources, True), side.distances(sources, False)
    scored = np.isfinite(own) & (np.arange(side.count)[:, None] != sources)
    # A route from a missing point is scored however short it is.
    scored &= (own >= min_path) | ~side.found[sources]
    with np.errstate(invalid="ignore", divide="ignore"):
        cost = np.where(scored, np.fmin(np.abs(own - other) / own, 1), 0)
    cost[cost < NEGLIGIBLE] = 0
    paths = zip(ways.from_sources(sources), there.from_sources(sources), strict=True)
    for column, (source, (here, elsewhere)) in enumerate(zip(sources.tolist(), paths, strict=True)):
        shorter = other[:, column] < own[:, column]
        for target in np.flatnonzero(cost[:, column] > 0).tolist():
            on_way = there.of(target, elsewhere) if shorter[target] else here.get(target, NONE)
            guilty = ways.of_ends(source, target) or on_way
            _charge(blame, guilty, float(cost[target, column]))
        _note_worst(blame, source, own[:, column], other[:, column], cost[:, column])
    blame.loss += float(cost.sum())
    return int(scored.sum())


def _charge(blame: Blame, guilty: Causes, cost: float) -> None:
    for cause in guilty:
        blame.by_cause[cause] += cost / len(guilty)
        blame.routes[cause] += 1
    if not guilty:
        blame.unexplained += cost


def _note_worst(blame: Blame, source: int, own: Floats, other: Floats, cost: Floats) -> None:
    """Remember the most costly route from a source, the longest of equals."""
    reached = np.where(np.isfinite(own), own, 0)
    worst = int(np.lexsort((reached, cost))[-1])
    if cost[worst] > 0:
        lengths = float(own[worst]), float(other[worst])
        blame.worst.append(Lossy(source, worst, *lengths, float(cost[worst])))
