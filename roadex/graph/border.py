"""Roads cut by the tile's border, which thinning leaves half a width short of it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.mask import half_widths
from roadex.graph.network import oriented, polyline_length, walked_distances
from roadex.graph.skeleton import Floats

# How far a thinned line ends before the border, in half-widths; more for oblique roads.
_SHORT_BY = 2.0
# A thinned line has left the middle of its road where less than this of the half-width remains.
_CENTRED = 0.9
# The bend begins this many half-widths before, and no more than this is taken back.
_BEND = 0.75
_TIP = 4.0
# A road whose cut is longer than this many half-widths runs along the border, not across it.
_GRAZING = 6.0


@dataclass(frozen=True)
class _Rim:
    """The outermost pixels of a mask, unrolled clockwise from the top left corner."""

    shape: tuple[int, int]
    gaps: NDArray[np.int64]  # places on the rim that are not road, in order

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> _Rim:
        sides = mask[0], mask[:, -1], mask[-1, ::-1], mask[::-1, 0]
        return cls((mask.shape[0], mask.shape[1]), np.flatnonzero(~np.concatenate(sides)))

    def cut(self, place: int) -> tuple[float, int]:
        """Middle and length of the run of road pixels around a place; (0, 0) if it is none."""
        total = 2 * sum(self.shape)
        if not len(self.gaps):
            return 0.0, total
        after = int(np.searchsorted(self.gaps, place))
        first = int(self.gaps[after - 1]) + 1 - (total if after == 0 else 0)
        last = int(self.gaps[after % len(self.gaps)]) + (total if after == len(self.gaps) else 0)
        return ((first + last) / 2 % total, last - first) if first <= place < last else (0.0, 0)

    def point(self, place: float) -> Floats:
        """x, y in pixels of a place on the rim."""
        height, width = self.shape
        if place <= width:
            return np.array([place, 0.0])
        if place <= width + height:
            return np.array([width, place - width])
        if place <= 2 * width + height:
            return np.array([2 * width + height - place, height])
        return np.array([0.0, 2 * (width + height) - place])

    def feet(self, end: Floats) -> list[tuple[float, int, int, float]]:
        """The four sides, nearest to a point first.

        Of each: its distance, the pixel of the rim opposite the point, and its axis and level (a
        side is where x, axis 0, or y, axis 1, has that level).
        """
        height, width = self.shape
        x, y = end
        column, row = np.clip(np.floor(end).astype(int), 0, (width - 1, height - 1)).tolist()
        return sorted(
            [
                (float(y), column, 1, 0.0),
                (float(width - x), width + row, 0, float(width)),
                (float(height - y), 2 * width + height - 1 - column, 1, float(height)),
                (float(x), 2 * (width + height) - 1 - row, 0, 0.0),
            ]
        )


def mark_border(graph: nx.MultiGraph, size: tuple[float, float]) -> None:
    """Mark, as `on_border`, the dead ends that thinning left short of the border, in place.

    `size` is the tile's, in metres; nodes need the attribute `half_width`.
    """
    for node in [node for node, degree in graph.degree if degree == 1]:
        data = graph.nodes[node]
        gap = min(data["x"], data["y"], size[0] - data["x"], size[1] - data["y"])
        data["on_border"] = gap <= _SHORT_BY * max(data["half_width"], 1.0)


def extend_to_border(
    graph: nx.MultiGraph, mask: NDArray[np.bool_], pixel: tuple[float, float], limit_m: float
) -> None:
    """Draw dead ends on to the border where their mask (rows, columns) reaches it, in place.

    A road goes on to the middle of its cut, the run of road pixels along the border, or straight
    ahead where it shares the run with a road along the border. It does so from a little before its
    thinned end, which may bend towards a corner of the cut. Roads need the attribute `width_m`;
    `pixel` is metres per pixel along x and y.
    """
    if not mask.size:
        return
    scale, rim = np.array(pixel), _Rim.of(mask)
    for node in [node for node, degree in graph.degree if degree == 1]:
        ((_, other, key),) = graph.edges(node, keys=True)
        metres = oriented(graph, node, other, key)
        line = metres / scale
        half_width = max(graph.edges[node, other, key]["width_m"] / 2 / scale.max(), 1.0)
        reach = min(limit_m / scale.max(), _SHORT_BY * half_width + 1.0)
        if min(rim.feet(line[0]))[0] <= reach:
            first = _end_of_tip(line, mask, half_width)
            target = _border_point(line[0], line[first:], mask, rim, half_width, reach)
            if target is not None:
                drawn = np.vstack([target * scale, metres[first:]])
                moves = np.append(True, np.diff(drawn, axis=0).any(axis=1))
                # The other end of a stub may already lie there; then it is not extended.
                if (drawn[0] != drawn[-1]).any():
                    _set_end(graph, (node, other, key), drawn[moves])


def _border_point(
    end: Floats, rest: Floats, mask: NDArray[np.bool_], rim: _Rim, half_width: float, reach: float
) -> Floats | None:
    """Where a road whose line ended at `end`, reliable in `rest`, meets the border; in pixels."""
    for gap, place, axis, level in rim.feet(end):
        middle, length = rim.cut(place)
        if gap > reach or not length:
            continue
        if length <= _GRAZING * half_width + 2:
            point: Floats | None = rim.point(middle)
        else:
            point = _straight_ahead(rest, rim.shape, axis, level, 2 * half_width)
        near = point is not None and np.hypot(*(point - end)) <= 2 * reach
        if point is not None and near and _is_road_between(mask, rest[0], point):
            return point
    return None


def _straight_ahead(
    line: Floats, shape: tuple[int, int], axis: int, level: float, back: float
) -> Floats | None:
    """Where the direction of a line's first `back` pixels meets a side of the tile."""
    before = int(np.clip(np.searchsorted(walked_distances(line), back), 1, len(line) - 1))
    direction = line[0] - line[before]
    if not direction[axis] * (level - line[0][axis]) > 0:
        return None
    point = line[0] + direction * ((level - line[0][axis]) / direction[axis])
    point[axis] = level
    other = 1 - axis
    return point if 0 <= point[other] <= shape[1 - other] else None


def _is_road_between(mask: NDArray[np.bool_], start: Floats, end: Floats) -> bool:
    """Whether the straight way between two points in pixels stays on the road."""
    steps = np.linspace(0, 1, int(np.ceil(np.abs(end - start).max())) + 1)[:, None]
    places = np.floor(start + steps * (end - start)).astype(np.int64)
    columns, rows = np.clip(places.T, 0, np.array([mask.shape[::-1]]).T - 1)
    return bool(mask[rows, columns].all())


def _end_of_tip(line: Floats, mask: NDArray[np.bool_], half_width: float) -> int:
    """The first point from which a line runs in the middle of its road, or that half way."""
    walked = walked_distances(line)
    limit = min(_TIP * half_width, walked[-1] / 2)
    widths = _widths_near(mask, line[walked <= limit], half_width)
    centred = np.flatnonzero(widths >= _CENTRED * half_width)
    bend = walked[centred[0]] + _BEND * half_width if len(centred) else limit
    first = int(np.searchsorted(walked, min(bend, limit)))
    return int(np.clip(first, 1, len(line) - 1))


def _widths_near(mask: NDArray[np.bool_], points: Floats, half_width: float) -> Floats:
    """Half-widths at a few points (n, 2) in pixels, from the part of the mask around them."""
    around = int(2 * half_width) + 2
    left, top = np.maximum(points.min(axis=0).astype(np.int64) - around, 0)
    right, bottom = points.max(axis=0).astype(np.int64) + around
    return half_widths(mask[top:bottom, left:right], points - 0.5 - (left, top))


def _set_end(graph: nx.MultiGraph, road: tuple[Hashable, Hashable, int], line: Floats) -> None:
    """Give a road a new geometry from its first node on, and that node its new position."""
    data = graph.edges[road]
    data["geometry"], data["length"] = line, polyline_length(line)
    graph.nodes[road[0]].update(x=float(line[0, 0]), y=float(line[0, 1]))
