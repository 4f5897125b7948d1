"""Walking a road network from a place on it, and sampling what the walk meets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra

from roadex.metrics.roads import Floats, Integers, Roads, cumulative_lengths


@dataclass(frozen=True)
class Spots:
    """Places on a network: (n,) road and distance along it, (n, 2) x, y and unit direction."""

    road: Integers
    along: Floats
    positions: Floats
    directions: Floats

    def __len__(self) -> int:
        return len(self.road)

    def take(self, index: Integers) -> Spots:
        """The spots of the given numbers."""
        return Spots(
            self.road[index], self.along[index], self.positions[index], self.directions[index]
        )


class Walker:
    """A network to walk on; its roads should run through nodes of degree 2.

    Positions along all roads together are one coordinate: the roads laid end to end.
    """

    def __init__(self, roads: Roads) -> None:
        self.roads = roads
        vertices = [cumulative_lengths(line) for line in roads.lines]
        self.lengths = np.array([along[-1] for along in vertices])
        self.base = np.cumsum(self.lengths) - self.lengths
        starts = np.concatenate([line[:-1] for line in roads.lines])
        steps = np.concatenate([np.diff(line, axis=0) for line in roads.lines])
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        proper = lengths > 0
        self._starts, self._steps = starts[proper], steps[proper]
        self._step_lengths = lengths[proper]
        pieces = [along[:-1] + base for along, base in zip(vertices, self.base, strict=True)]
        self._measure = np.concatenate(pieces)[proper]
        self._road = np.repeat(np.arange(len(vertices)), [len(v) - 1 for v in vertices])[proper]
        self._matrix = _node_matrix(roads, self.lengths)
        self._rows: tuple[int, Floats] = (-1, np.empty(0))

    def spots(self, road: Integers, along: Floats) -> Spots:
        """The places `along` metres from the beginning of the given roads."""
        measure = self.base[road] + along
        # A place at the end of a road must not be taken for the beginning of the next.
        piece = np.searchsorted(self._measure, measure, side="right") - 1
        first = np.searchsorted(self._road, road, side="left")
        last = np.searchsorted(self._road, road, side="right") - 1
        piece = np.clip(piece, first, np.maximum(first, last))
        direction = self._steps[piece] / self._step_lengths[piece][:, None]
        position = self._starts[piece] + (measure - self._measure[piece])[:, None] * direction
        return Spots(road, along, position, direction)

    def starting_points(self, spacing: float) -> Spots:
        """Places that cut each road into equal parts of about `spacing` metres, ends left out.

        Roads shorter than half the spacing and lone rings have none.
        """
        degree = np.bincount(self.roads.ends.ravel(), minlength=len(self.roads.positions))
        lone_ring = (self.roads.ends[:, 0] == self.roads.ends[:, 1]) & (
            degree[self.roads.ends[:, 0]] == 2
        )
        counts = np.maximum((self.lengths / spacing).astype(np.int64), 1)
        counts[(self.lengths < spacing / 2) | lone_ring] = 0
        road = np.repeat(np.arange(len(counts)), counts)
        rank = np.arange(len(road)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
        return self.spots(road, self.lengths[road] * rank / (counts[road] + 1))

    def middles(self) -> Spots:
        """The middle of each road."""
        return self.spots(np.arange(len(self.lengths)), self.lengths / 2)

    def nearest(self, spots: Spots, reach: float, angle: float) -> tuple[Integers, Spots]:
        """For each spot of another network the nearest place here of a like direction in reach.

        Args:
            spots: places on the other network.
            reach: farthest distance in metres.
            angle: largest 1 - |cos| between the directions.

        Returns:
            Numbers of the spots that have one, and the places.
        """
        pieces = shapely.linestrings(np.stack([self._starts, self._starts + self._steps], axis=1))
        shapes = shapely.points(spots.positions)
        spot, piece = shapely.STRtree(pieces).query(shapes, predicate="dwithin", distance=reach)
        unit = self._steps[piece] / self._step_lengths[piece][:, None]
        straight = 1 - np.abs((unit * spots.directions[spot]).sum(axis=1)) < angle
        gap = shapely.distance(shapes[spot], pieces[piece])
        kept = np.flatnonzero(straight & (gap < reach))
        order = kept[np.lexsort((piece[kept], gap[kept], spot[kept]))]
        found, first = np.unique(spot[order], return_index=True)
        best = order[first]
        along = shapely.line_locate_point(pieces[piece[best]], shapes[spot[best]])
        road = self._road[piece[best]]
        return found, self.spots(road, self._measure[piece[best]] + along - self.base[road])

    def from_spot(self, road: int, along: float, limit: float) -> Floats:
        """Distances in metres from a place to all nodes (n,), infinite beyond `limit`."""
        if self._rows[0] != road:
            ends = self.roads.ends[road]
            rows = dijkstra(self._matrix, directed=True, indices=ends, limit=limit)
            self._rows = (road, rows)
        first, second = self._rows[1]
        reached = np.minimum(first + along, second + self.lengths[road] - along)
        reached[reached > limit] = np.inf
        return np.asarray(reached)

    def walk(self, road: int, along: float, radius: float, step: float) -> Spots:
        """Sample all roads within `radius` metres of a place, every `step` metres of the way.

        A place that two ways reach is sampled on the shorter one.
        """
        to_node = self.from_spot(road, along, radius)
        near = np.flatnonzero(np.isfinite(to_node[self.roads.ends]).any(axis=1))
        near = near[near != road]
        u, v = self.roads.ends[near].T
        own_u, own_v = self.roads.ends[road]
        # The road of the place itself is two: from its beginning to the place, and on from there.
        roads = np.append(near, (road, road))
        begin = np.append(np.zeros(len(near)), (0.0, along))
        length = np.append(self.lengths[near], (along, self.lengths[road] - along))
        at_begin = np.append(to_node[u], (to_node[own_u], 0.0))
        at_end = np.append(to_node[v], (0.0, to_node[own_v]))
        return self._sample(roads, begin, length, at_begin, at_end, radius, step)

    def _sample(
        self,
        roads: Integers,
        begin: Floats,
        length: Floats,
        at_begin: Floats,
        at_end: Floats,
        radius: float,
        step: float,
    ) -> Spots:
        """Sample stretches of road, given the distances of both their ends from the start."""
        with np.errstate(invalid="ignore"):
            meet = np.clip((at_end + length - at_begin) / 2, 0, length)
        meet = np.where(np.isinf(at_begin), 0, np.where(np.isinf(at_end), length, meet))
        forth_road, forth = _every(at_begin, np.minimum(at_begin + meet, radius), step)
        back_road, back = _every(at_end, np.minimum(at_end + length - meet, radius), step)
        # Where both ways meet, at equal distance, the place is sampled once.
        once = (back - at_end[back_road] < (length - meet)[back_road]) | (meet[back_road] == 0)
        back_road, back = back_road[once], back[once]
        stretch = np.concatenate((forth_road, back_road))
        along = np.concatenate(
            (
                (begin - at_begin)[forth_road] + forth,
                (begin + length + at_end)[back_road] - back,
            )
        )
        return self.spots(roads[stretch], along)


def _every(low: Floats, high: Floats, step: float) -> tuple[Integers, Floats]:
    """Multiples of `step` in each (low, high], none where low is infinite: owners, multiples."""
    high = np.where(np.isfinite(low), high, -1)
    low = np.where(np.isfinite(low), low, 0)
    first = np.floor(low / step).astype(np.int64) + 1
    counts = np.maximum(np.floor(high / step).astype(np.int64) - first + 1, 0)
    owner = np.repeat(np.arange(len(low)), counts)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, (first[owner] + rank) * step


def _node_matrix(roads: Roads, lengths: Floats) -> csr_matrix:
    """The shortest road between each two nodes, as a symmetric sparse matrix."""
    order = np.argsort(lengths, kind="stable")
    low, high = np.sort(roads.ends[order], axis=1).T
    nodes = len(roads.positions)
    _, first = np.unique(low * nodes + high, return_index=True)
    low, high, shortest = low[first], high[first], lengths[order][first]
    rows, columns = np.concatenate((low, high)), np.concatenate((high, low))
    both = np.concatenate((shortest, shortest))
    apart = rows != columns
    return coo_matrix((both[apart], (rows[apart], columns[apart])), shape=(nodes, nodes)).tocsr()
