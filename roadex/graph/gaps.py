"""Gaps closed: an end that is not predicted as a dead end looks for its continuation.

It looks ahead, in a sector around its road's direction, for the road that the path of least cost
through the probability map leads to. Gaps are closed from the cheapest on, one at each end. A path
that passes over another road does not join it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass

import cv2
import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray
from skimage.graph import MCP_Geometric

from roadex.config.graph import GapSettings
from roadex.graph.network import add_road, oriented, polyline_length, position, walked_distances
from roadex.graph.places import Places, cut_road, points_at
from roadex.graph.probability_maps import DEAD_END, JUNCTION, ProbabilityMaps
from roadex.graph.skeleton import Floats, Ints

_BORDER_M = 1.0  # a road that ends this near to the border continues outside
_BACK_M = 12.0  # the direction of an end is that of this much of its road
_AT_END_M = 2.0  # a path that comes this near to an end meets it
_SMOOTH_M = 1.5  # paths lead from cell to cell: corners of this size are no real corners
_DISC_M = 3.0  # the largest distance between the end of a line and the middle of its disc


@dataclass(frozen=True)
class _End:
    """A dead end of the graph.

    Its last `tip_m` metres, half the width of the road, may bend towards a corner of the mask, so
    that it counts from `point` on, where the road leads `ahead` (a unit vector).
    """

    node: Hashable
    point: Floats
    tip_m: float
    ahead: Floats
    width_m: float


@dataclass(frozen=True)
class _Join:
    """A gap's line, from an end to a place of a road, perhaps another end."""

    cost: float
    end: _End
    line: Floats
    place: int
    met: _End | None


class _Ends:
    """The dead ends inside a tile, and which of them a place of a road belongs to."""

    def __init__(self, graph: nx.MultiGraph, places: Places, maps: ProbabilityMaps) -> None:
        size = np.array(maps.road.shape[::-1]) * maps.pixel
        tips = [node for node, degree in graph.degree if degree == 1]
        self.all = [_end(graph, node) for node in tips if _margin(graph, node, size) > _BORDER_M]
        self.met_at = {
            place: end
            for end in self.all
            for place in places.near(end.point, end.tip_m + _AT_END_M).tolist()
        }

    def facing(self, end: _End, near: Ints) -> Floats:
        """How squarely an end faces the ends at some places: 1 face to face, 0 where none is."""
        met = [self.met_at.get(place) for place in near.tolist()]
        against = [0.0 if other is None else -float(other.ahead @ end.ahead) for other in met]
        return np.maximum(against, 0.0)


def close_gaps(graph: nx.MultiGraph, maps: ProbabilityMaps, settings: GapSettings) -> None:
    """Draw the missing pieces of roads, in place.

    Roads need the attribute `width_m`; a new piece has that of the road it continues. All roads get
    `bridged`, the share of their length drawn over gaps, and `graph.graph["gaps"]` is the list of
    the new lines (n, 2).
    """
    graph.graph["gaps"] = []
    nx.set_edge_attributes(graph, 0.0, "bridged")
    if not settings.reach_m or not graph.number_of_edges():
        return
    places = Places.of(graph)
    ends = _Ends(graph, places, maps)
    searching = [end for end in ends.all if not _is_dead_end(end, maps, settings)]
    found = [_best_join(graph, end, ends, places, maps, settings) for end in searching]
    joins = _compatible([join for join in found if join is not None])
    graph.graph["gaps"] = [join.line for join in joins]
    _draw(graph, joins, places)


def _margin(graph: nx.MultiGraph, node: Hashable, size: Floats) -> float:
    """How far inside the tile a node lies."""
    point = np.array(position(graph, node))
    return float(min(point.min(), (size - point).min()))


def _end(graph: nx.MultiGraph, node: Hashable) -> _End:
    ((_, other, key),) = graph.edges(node, keys=True)
    line, width = oriented(graph, node, other, key), graph.edges[node, other, key]["width_m"]
    walked = walked_distances(line)
    near = min(width / 2, walked[-1] / 3)
    stops = np.array([near, min(near + _BACK_M, walked[-1])])
    point, behind = points_at(line, walked, stops)
    ahead = (point - behind) / max(float(np.hypot(*(point - behind))), 1e-9)
    return _End(node, point, near, ahead, width)


def _is_dead_end(end: _End, maps: ProbabilityMaps, settings: GapSettings) -> bool:
    chance = maps.chance(end.point, DEAD_END, end.width_m / 2 + _DISC_M)
    return chance > settings.dead_end


def _best_join(
    graph: nx.MultiGraph,
    end: _End,
    ends: _Ends,
    places: Places,
    maps: ProbabilityMaps,
    settings: GapSettings,
) -> _Join | None:
    """The cheapest way on from an end, unless it costs too much."""
    near = _candidates(graph, end, places, settings)
    if not len(near):
        return None
    search = LeastCost(maps, end.point, end.ahead, settings)
    oddity = (1 - ends.facing(end, near)) * (1 - _junction(places.points[near], end, maps))
    costs = search.to(places.points[near]) + settings.tee_cost * oddity
    best = int(np.argmin(costs))
    if not costs[best] <= settings.max_cost:
        return None
    place = int(near[best])
    met = ends.met_at.get(place)
    target = places.points[place] if met is None else met.point
    line = _smooth(np.vstack([end.point, search.path(places.points[place])[1:-1], target]))
    straight = float(np.hypot(*(line[-1] - line[0])))
    if polyline_length(line) > settings.winding * straight:
        return None
    return _Join(float(costs[best]), end, line, place, met)


def _smooth(path: Floats) -> Floats:
    result: Floats = shapely.get_coordinates(shapely.simplify(shapely.linestrings(path), _SMOOTH_M))
    return result


def _candidates(graph: nx.MultiGraph, end: _End, places: Places, settings: GapSettings) -> Ints:
    """The places ahead of an end to which roads do not already lead, or only by a long detour."""
    near = places.near(end.point, settings.reach_m)
    steps = places.points[near] - end.point
    near = near[in_sector(steps, end.ahead, settings.half_angle_deg)]
    gaps = np.hypot(*(places.points[near] - end.point).T)
    detours = settings.detour * gaps + end.tip_m  # the ways begin at the tip
    result: Ints = near[
        places.ways(graph, end.node, near, float(detours.max(initial=0.0))) > detours
    ]
    return result


def _junction(points: Floats, end: _End, maps: ProbabilityMaps) -> Floats:
    """The probability (n,) of a junction at points (n, 2) around an end."""
    reach = float(np.abs(points - end.point).max())
    window = maps.around(end.point, reach)
    shares = maps.shares(window, JUNCTION)
    corner = window[1].start, window[0].start
    columns, rows = (np.floor(points / maps.pixel).astype(np.int64) - corner).T
    result: Floats = shares[rows.clip(0, len(shares) - 1), columns.clip(0, shares.shape[1] - 1)]
    return result


def _compatible(joins: list[_Join]) -> list[_Join]:
    """The cheapest joins, at most one for each end."""
    used: set[Hashable] = set()
    chosen = []
    for join in sorted(joins, key=lambda join: join.cost):
        ends = {join.end.node} | ({join.met.node} if join.met else set())
        if not ends & used:
            used |= ends
            chosen.append(join)
    return chosen


def _draw(graph: nx.MultiGraph, joins: list[_Join], places: Places) -> None:
    """Add the lines of joins, cutting the roads that they end on."""
    cuts: dict[int, dict[float, Hashable]] = defaultdict(dict)
    targets: list[Hashable] = []
    fresh = 1 + max(node for node in graph if isinstance(node, int))
    for join in joins:
        target = join.met.node if join.met else _node_at(join.place, places)
        if target is None:
            road, walked = int(places.road[join.place]), float(places.walked[join.place])
            target = cuts[road].setdefault(walked, fresh)
            fresh += target == fresh
        targets.append(target)
    for road, nodes in cuts.items():
        cut_road(graph, places.steps[road], nodes)
    for join, target in zip(joins, targets, strict=True):
        for end in (join.end, join.met):
            if end is not None:
                _trim(graph, end)
        add_road(graph, join.end.node, target, join.line, width_m=join.end.width_m, bridged=1.0)
        graph.nodes[target].setdefault("half_width", join.end.width_m / 2)


def _trim(graph: nx.MultiGraph, end: _End) -> None:
    """Remove the bent tip of a road's end."""
    ((_, other, key),) = graph.edges(end.node, keys=True)
    line, data = oriented(graph, end.node, other, key), graph.edges[end.node, other, key]
    first = int(np.searchsorted(walked_distances(line), end.tip_m, side="right"))
    data["geometry"] = np.vstack([end.point, line[min(first, len(line) - 1) :]])
    data["length"] = polyline_length(data["geometry"])
    graph.nodes[end.node].update(x=float(end.point[0]), y=float(end.point[1]))


def _node_at(place: int, places: Places) -> Hashable | None:
    """The node that a place is, if it is one."""
    u, v, _ = places.steps[places.road[place]]
    walked, length = places.walked[place], places.lengths[places.road[place]]
    return u if walked <= 0 else v if walked >= length else None


_CELL_M = 1.0  # the size of a cell, less than the width of any road
_METRE = 0.02  # the cost of a metre where a road is certain: the shorter of equal paths is taken
_NEAR_M = 2.5  # this near to the start directions do not count


class LeastCost:
    """The cheapest paths from a point into the sector ahead of it.

    A metre costs -ln(probability of road there): the cost of a path is the negative logarithm of
    the probability that all of it is road, were its metres independent.
    """

    def __init__(
        self, maps: ProbabilityMaps, start: Floats, ahead: Floats, settings: GapSettings
    ) -> None:
        """Find all paths from `start`, x, y in metres, around the direction `ahead`, a unit vector.

        They stay within the reach and the sector of the settings, and cost no more than allowed.
        """
        window = maps.around(start, settings.reach_m)
        road = maps.of_road(window)
        sides = np.array(road.shape) * maps.pixel[::-1]
        self._shape = np.maximum(np.rint(sides / _CELL_M).astype(np.int64), 1)
        self._cell = (sides / self._shape)[::-1]
        self._origin = np.array([window[1].start, window[0].start]) * maps.pixel
        rows, columns = self._shape.tolist()
        cells = cv2.resize(road, (columns, rows), interpolation=cv2.INTER_AREA)
        costs = _METRE - np.log(np.maximum(cells, settings.least_probability).astype(np.float64))
        steps = self._centres() - start
        costs[~in_sector(steps, ahead, settings.half_angle_deg, _NEAR_M)] = np.inf
        self._search = MCP_Geometric(costs, sampling=tuple(self._cell[::-1]))
        self._costs: Floats = self._search.find_costs(
            self._cells(start[None]).tolist(), max_cumulative_cost=settings.max_cost
        )[0]

    def to(self, points: Floats) -> Floats:
        """The cost (n,) of the cheapest path to each point (n, 2); infinite where there is none."""
        rows, columns = self._cells(points).T
        result: Floats = self._costs[rows, columns]
        return result

    def path(self, point: Floats) -> Floats:
        """The cheapest path (k, 2) to a point, in metres, between cell centres."""
        cells = np.array(self._search.traceback(tuple(self._cells(point[None])[0].tolist())))
        result: Floats = self._origin + (cells[:, ::-1] + 0.5) * self._cell
        return result

    def _cells(self, points: Floats) -> Ints:
        """The cells (n, 2), row and column, that points lie in or next to."""
        cells = np.floor((points - self._origin) / self._cell).astype(np.int64)
        result: Ints = cells[:, ::-1].clip(0, self._shape - 1)
        return result

    def _centres(self) -> Floats:
        """The cells' centres (rows, columns, 2) in metres."""
        rows, columns = np.indices(tuple(self._shape.tolist()))
        result: Floats = self._origin + (np.stack([columns, rows], axis=-1) + 0.5) * self._cell
        return result


def in_sector(
    steps: Floats, ahead: Floats, half_angle_deg: float, near: float = 0.0
) -> NDArray[np.bool_]:
    """Which vectors (..., 2) lie within an angle of a unit vector, or are shorter than `near`."""
    along = steps @ ahead
    length = np.hypot(steps[..., 0], steps[..., 1])
    result: NDArray[np.bool_] = (along >= np.cos(np.radians(half_angle_deg)) * length) | (
        length < near
    )
    return result
