"""The comparison of a map with roads seen in imagery, as tables of segments."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from shapely import Geometry

from roadex.changes.attributes import RoadAttributes, attributes_of
from roadex.changes.detours import detours
from roadex.changes.inputs import inside
from roadex.changes.matching import Matches, Tolerances, common_shift, match
from roadex.changes.probability import ProbabilityRaster
from roadex.changes.samples import Floats, Integers, Runs, Samples, line_of, runs_of, sample
from roadex.graph.attributes import is_tunnel

MATCHED, CHANGED, MOVED, MISSING, UNSEEN, OUTSIDE = (
    "matched", "changed", "moved", "missing", "unseen", "outside",
)  # fmt: skip
STATES = (MATCHED, CHANGED, MOVED, MISSING, UNSEEN, OUTSIDE)
MAP, ROADS = "map", "roads"
# Why a road of the map was not found.
TUNNEL, NO_IMAGE, FAINT, NO_ROAD = "tunnel", "outside the image", "low probability", "no road found"


@dataclass(frozen=True)
class Rules:
    """The rules of the comparison: distances in metres, angle in degrees.

    Attributes:
        tolerances: when two roads count as the same.
        min_segment_m: shorter segments are merged with the longer one beside them.
        sample_m: spacing of the places that are compared.
        width_share: widths that differ by more than this share of the larger one, and by more than
            2 m, have changed.
        threshold: roads with a lower probability count as faint.
    """

    tolerances: Tolerances
    min_segment_m: float = 15.0
    sample_m: float = 5.0
    width_share: float = 0.35
    threshold: float = 0.5


@dataclass(frozen=True)
class Segment:
    """A stretch of road of one state.

    Attributes:
        side: `map` or `roads`: whose line it is.
        state: one of `STATES`.
        line: (n, 2) in the common system.
        step: the road's edge in its network.
        length_m: planar metres.
        offset: metres (x, y) from here to the other network's road; None where it has none.
        confidence: 0 to 1, see docs/compare_maps.md.
        probability: mean probability of road along it, where that is known.
        note: what has changed, or why it was not found.
        detour_m: of a missing road, by how much the way between its ends is longer without it.
        rank: 1 for the longest of its state and side.
    """

    side: str
    state: str
    line: Floats
    step: tuple[Any, Any, int]
    length_m: float
    offset: tuple[float, float] | None
    confidence: float
    probability: float | None
    note: str
    data: dict[str, Any] = field(repr=False)
    detour_m: float | None = None
    rank: int = 0


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    Attributes:
        segments: of both sides, ranked within state and side.
        networks: the map and the roads in their common system.
        area: the polygon in which both were compared.
        shift: metres (x, y) by which the map has to be moved to lie on the roads; None: unknown.
    """

    segments: list[Segment]
    networks: tuple[nx.MultiGraph, nx.MultiGraph]
    area: Geometry
    shift: tuple[float, float] | None

    @property
    def crs(self) -> str | None:
        """The common system; None for the image frame."""
        name: str | None = self.networks[0].graph.get("crs")
        return name

    def of(self, state: str) -> list[Segment]:
        """The segments of a state, by rank, the map's first."""
        return [segment for segment in self.segments if segment.state == state]


def compare(
    old: nx.MultiGraph,
    new: nx.MultiGraph,
    area: Geometry,
    rules: Rules,
    probability: ProbabilityRaster | None = None,
) -> Comparison:
    """Compare a map with roads seen in imagery.

    Args:
        old: the map, in the same system as `new`, in metres.
        new: the roads.
        area: polygon outside which nothing is compared.
        probability: the raster of the image's probability of road.
    """
    sides = sample(old, rules.sample_m), sample(new, rules.sample_m)
    within = [inside(area, samples.points) for samples in sides]
    known = [probability.at(samples.points) if probability else None for samples in sides]
    partners = match(*sides, rules.tolerances)
    attributes = [attributes_of(samples.data) for samples in sides]
    segments: list[Segment] = []
    for index, name in enumerate((MAP, ROADS)):
        own, other = sides[index], sides[1 - index]
        differs = attributes[index].differ(
            attributes[1 - index], own.road, _roads_of(other, partners[index]), rules.width_share
        )
        states = _states(name, partners[index], differs, within[index], known[index])
        runs = runs_of(own, states, rules.min_segment_m)
        maker = _Maker(name, own, other, partners[index], known[index], attributes, rules)
        segments += maker.segments(runs)
    segments = _with_detours(segments, old, rules.tolerances.match_m)
    return Comparison(_ranked(segments), (old, new), area, common_shift(sides[0], partners[0]))


def _roads_of(other: Samples, partners: Matches) -> Integers:
    """The road of each sample's partner, -1 where there is none."""
    if not len(other.road):
        return np.full(len(partners.partner), -1)
    return np.where(partners.partner >= 0, other.road[partners.partner], -1)


def _states(
    side: str,
    partners: Matches,
    differs: NDArray[np.bool_],
    within: NDArray[np.bool_],
    known: Floats | None,
) -> Integers:
    """The number in `STATES` of each sample."""
    alone = STATES.index(UNSEEN if side == MAP else MISSING)
    states = np.where(partners.partner < 0, alone, STATES.index(MOVED))
    states[partners.near] = STATES.index(MATCHED)
    states[partners.near & differs] = STATES.index(CHANGED)
    there = within if known is None else within & (np.isfinite(known) | (partners.partner >= 0))
    return np.where(there, states, STATES.index(OUTSIDE))


@dataclass(frozen=True)
class _Maker:
    """Makes segments of the runs of one side; `attributes` are those of both, the map's first."""

    side: str
    own: Samples
    other: Samples
    partners: Matches
    known: Floats | None
    attributes: list[RoadAttributes]
    rules: Rules

    @cached_property
    def _theirs(self) -> Integers:
        return _roads_of(self.other, self.partners)

    def segments(self, runs: Runs) -> list[Segment]:
        """A segment for each run."""
        if not len(runs.first):
            return []
        found = self.partners.partner >= 0
        run = np.repeat(np.arange(len(runs.first)), runs.stop - runs.first)
        offsets = np.column_stack(
            [medians(self.partners.offset[:, i], run, found, len(runs.first)) for i in (0, 1)]
        )
        apart = np.hypot(*(self.partners.offset - offsets[run]).T)
        agree = means(found & (apart <= self.rules.tolerances.match_m / 2), runs.first)
        lonely = means(~found, runs.first)
        chances = self._chances(runs, run)
        lengths = np.add.reduceat(self.own.cells, runs.first)
        return [
            self._segment(runs, index, lengths, offsets, agree, lonely, chances)
            for index in range(len(runs.first))
        ]

    def _segment(
        self,
        runs: Runs,
        index: int,
        lengths: Floats,
        offsets: Floats,
        agree: Floats,
        lonely: Floats,
        chances: Floats,
    ) -> Segment:
        state, first, stop = (int(column[index]) for column in (runs.state, runs.first, runs.stop))
        name, road = STATES[state], int(self.own.road[first])
        start = int(self.own.firsts[road])
        chance = None if np.isnan(chances[index]) else float(chances[index])
        x, y = offsets[index].tolist()
        met = name in (MATCHED, CHANGED, MOVED) and x == x
        return Segment(
            self.side,
            name,
            line_of(self.own, road, first - start, stop - start),
            self.own.steps[road],
            float(lengths[index]),
            (x, y) if met else None,
            self._confidence(name, float(agree[index] if met else lonely[index]), chance),
            chance,
            self._note(name, road, slice(first, stop), chance),
            self.own.data[road],
        )

    def _chances(self, runs: Runs, run: Integers) -> Floats:
        """The mean probability of each run, NaN where it is not known."""
        if self.known is not None:
            there = np.isfinite(self.known)
            sums = np.bincount(run[there], self.known[there], minlength=len(runs.first))
            counts = np.bincount(run[there], minlength=len(runs.first))
            return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        probabilities = [data.get("mean_probability") for data in self.own.data]
        values = np.array(
            [v if isinstance(v, int | float) else np.nan for v in probabilities], dtype=float
        )
        return np.asarray(values[self.own.road[runs.first]])

    def _confidence(self, state: str, share: float, chance: float | None) -> float:
        """`share`: of the segment that agrees with its state."""
        if state == OUTSIDE:
            return 0.0
        if state == MISSING and chance is not None:
            return share * chance
        if state == UNSEEN and chance is not None and self.known is not None:
            return share * (1.0 - chance)
        return share

    def _note(self, state: str, road: int, where: slice, chance: float | None) -> str:
        if state == CHANGED:
            return self._change(road, where)
        if state == OUTSIDE:
            return NO_IMAGE
        if state != UNSEEN:
            return ""
        if is_tunnel(self.own.data[road]):
            return TUNNEL
        if self.known is None or chance is None:
            return ""
        return FAINT if chance < self.rules.threshold else NO_ROAD

    def _change(self, road: int, where: slice) -> str:
        theirs = self._theirs[where]
        numbers, counts = np.unique(theirs[theirs >= 0], return_counts=True)
        if not len(numbers):
            return ""
        partner = int(numbers[np.argmax(counts)])
        old, new = (road, partner) if self.side == MAP else (partner, road)
        return self.attributes[0].change(old, self.attributes[1], new, self.rules.width_share)


def medians(values: Floats, group: Integers, chosen: NDArray[np.bool_], count: int) -> Floats:
    """The median of the chosen values of each group (count,); NaN where none is chosen."""
    values, group = values[chosen], group[chosen]
    order = np.lexsort((values, group))
    sizes = np.bincount(group, minlength=count)
    ends = np.cumsum(sizes)
    ranked = np.append(values[order], np.nan)
    low, high = (ends - sizes + (sizes - 1) // 2, ends - sizes + sizes // 2)
    middle = (ranked[low.clip(0)] + ranked[high.clip(0, len(ranked) - 1)]) / 2
    return np.where(sizes > 0, middle, np.nan)


def means(values: NDArray[np.bool_], firsts: Integers) -> Floats:
    """The share of each run of values that is true; the runs begin at `firsts` (r,)."""
    sizes = np.diff(np.append(firsts, len(values)))
    return np.asarray(np.add.reduceat(values.astype(np.float64), firsts) / sizes)


def _with_detours(segments: list[Segment], old: nx.MultiGraph, join_m: float) -> list[Segment]:
    """The segments, with detours added to the missing ones."""
    missing = [segment for segment in segments if segment.state == MISSING]
    if not missing or not old.number_of_edges():
        return segments
    metres = detours([segment.line for segment in missing], old, join_m)
    return [segment for segment in segments if segment.state != MISSING] + [
        replace(segment, detour_m=value) for segment, value in zip(missing, metres, strict=True)
    ]


def _ranked(segments: list[Segment]) -> list[Segment]:
    """Segments by state, side and length, with their ranks."""
    order = sorted(segments, key=lambda p: (STATES.index(p.state), p.side, -p.length_m))
    ranks: dict[tuple[str, str], int] = {}
    result = []
    for segment in order:
        key = segment.state, segment.side
        ranks[key] = ranks.get(key, 0) + 1
        result.append(replace(segment, rank=ranks[key]))
    return result
