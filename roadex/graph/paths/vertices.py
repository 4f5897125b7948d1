"""Vertices of a road network, found in a model's output, and the pairs that a road may join."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from roadex.config.graph import VertexSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Map = NDArray[np.float32]
Ranks = NDArray[np.uint64]

ALONG, BORDER, END, JUNCTION = range(4)
_LEAST_NODE = np.float32(0.35)  # the probability that a place is an end, or a junction
_FAR = 1e3  # cells
_LEVELS = 16  # probabilities within the same sixteenth count as equal
_SIGN = np.uint64(1 << 63)
_MIXER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: spreads numbers evenly


@dataclass(frozen=True)
class Strength:
    """A model's maps of the cells of an image, (h, w) each, from 0 to 1.

    Attributes:
        ridge: the probability of road, smoothed so that it is highest in the middle of a road.
        ends, junctions: the probability of a dead end, and of a junction.
        cell: width and height of a cell in metres.
        origin: row and column of the first cell in the image, where this is a part of one.
        sides: whether top, bottom, left and right are sides of the image.
    """

    ridge: Map
    ends: Map
    junctions: Map
    cell: tuple[float, float]
    origin: tuple[int, int] = (0, 0)
    sides: tuple[bool, bool, bool, bool] = (True, True, True, True)


@dataclass(frozen=True)
class Vertices:
    """Places that roads may join.

    Attributes:
        points: (n, 2) x, y in metres in the frame of the image.
        kinds: (n,) ALONG, BORDER, END or JUNCTION.
        ranks: (n,) numbers by which they were chosen, the lowest first; the same in a part of an
            image as in the whole.
    """

    points: Floats
    kinds: Ints
    ranks: Ranks | None = None

    def __len__(self) -> int:
        return len(self.points)


def find_vertices(
    strength: Strength, settings: VertexSettings, most: int | None = None
) -> Vertices:
    """The vertices of an image, at least `spacing_m` apart, none where the ridge is low.

    Args:
        most: how many are kept at most, the first ones.
    """
    road = strength.ridge >= settings.least_road
    kinds = [
        (JUNCTION, road & (strength.junctions >= _LEAST_NODE), strength.junctions),
        (END, road & (strength.ends >= _LEAST_NODE), strength.ends),
        (BORDER, road & _peaks_on_the_border(strength), strength.ridge),
        (ALONG, road & _on_a_ridge(strength.ridge), strength.ridge),
    ]
    cells = [np.argwhere(where) for _, where, _ in kinds]
    scores = [score[where] for _, where, score in kinds]
    kind = np.repeat([kind for kind, _, _ in kinds], [len(part) for part in cells])
    places = np.concatenate(cells)
    ranks = _ranks(kind, np.concatenate(scores), places + strength.origin)
    order = np.argsort(ranks, kind="stable")
    places, kind = places[order], kind[order]
    points: Floats = np.asarray((places[:, ::-1] + 0.5) * strength.cell, np.float64)
    kept = apart(points, settings.spacing_m, most)
    exact = _refined(strength, places[kept], kind[kept])
    return Vertices(exact, kind[kept].astype(np.int64), ranks[order][kept])


def suppressed_points(
    strength: Strength, least: tuple[float, float], spacing: tuple[float, float]
) -> Vertices:
    """The points of an image by non-maximum suppression, as SAM-Road finds them.

    Args:
        strength: the road as its ridge, the keypoints as its junctions.
        least: the probabilities that keypoints and points of the road exceed.
        spacing: metres between keypoints, and between all points, keypoints being first.
    """
    kinds = [(JUNCTION, strength.junctions, least[0], spacing[0])]
    kinds += [(ALONG, strength.ridge, least[1], spacing[1])]
    parts: list[tuple[Ints, Ints, Ranks]] = []
    for name, score, lowest, gap in kinds:
        there = np.argwhere(score > lowest)
        names = np.full(len(there), name)
        rank = _ranks(names, score[score > lowest], there + strength.origin)
        order = np.argsort(rank, kind="stable")
        kept = order[apart(_centres(there[order], strength), gap)]
        parts.append((there[kept], names[kept], rank[kept]))
    places, kind, ranks = (np.concatenate(each) for each in zip(*parts, strict=True))
    points = _centres(places, strength)
    kept = apart(points, spacing[1])
    return Vertices(points[kept], kind[kept].astype(np.int64), ranks[kept])


def _centres(places: Ints, strength: Strength) -> Floats:
    """The centres (n, 2), x, y in metres, of cells (n, 2), row and column."""
    return np.asarray((places[:, ::-1] + 0.5) * strength.cell, np.float64)


def _ranks(kinds: Ints, scores: Map, places: Ints) -> Ranks:
    """The order of candidates: by kind, then by score.

    Between equal ones a pseudo-random number of row and column decides. With the row itself a
    chain of decisions would run along a whole road, so that a change at one end moved all vertices
    up to the other; this way a part of an image has the vertices of the whole.
    """
    level = _LEVELS - np.floor(scores * _LEVELS).astype(np.uint64)
    number = (places[:, 0].astype(np.uint64) << np.uint64(32)) + places[:, 1].astype(np.uint64)
    mixed = (number + np.uint64(1)) * _MIXER
    scattered = (mixed ^ (mixed >> np.uint64(29)) ^ _SIGN) >> np.uint64(8)
    kind = (JUNCTION - kinds).astype(np.uint64)
    ranks: Ranks = (kind << np.uint64(61)) | (level << np.uint64(56)) | scattered
    return ranks


def apart(points: Floats, spacing: float, most: int | None = None) -> Ints:
    """Indices of points (n, 2), in their order, that lie farther than `spacing` from all before.

    Args:
        most: how many are kept at most.
    """
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    tree = cKDTree(points)
    free = np.ones(len(points), dtype=np.bool_)
    kept: list[int] = []
    for index in range(len(points)):
        if len(kept) == most:
            break
        if free[index]:
            kept.append(index)
            free[tree.query_ball_point(points[index], spacing)] = False
    return np.array(kept, dtype=np.int64)


def _on_a_ridge(ridge: Map) -> Bools:
    """Cells that are not lower than both neighbours in one of the four directions."""
    padded = np.pad(ridge, 1, mode="edge")
    rows, columns = ridge.shape
    found = np.zeros(ridge.shape, dtype=np.bool_)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        before = padded[1 - down : 1 - down + rows, 1 - right : 1 - right + columns]
        after = padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
        found |= ((ridge > before) & (ridge >= after)) | ((ridge >= before) & (ridge > after))
    return found


def _peaks_on_the_border(strength: Strength) -> Bools:
    """Cells along the image's sides that are not lower than those beside them there."""
    found = np.zeros(strength.ridge.shape, dtype=np.bool_)
    ridge = strength.ridge
    sides = (ridge[0], found[0]), (ridge[-1], found[-1]), (ridge.T[0], found.T[0])
    for (side, out), counts in zip(
        (*sides, (ridge.T[-1], found.T[-1])), strength.sides, strict=True
    ):
        if counts:
            out |= _peaks(side)
    return found


def _peaks(side: Map) -> Bools:
    padded = np.pad(side, 1, mode="edge")
    peaks: Bools = (side >= padded[:-2]) & (side >= padded[2:])
    return peaks


def _refined(strength: Strength, places: Ints, kinds: Ints) -> Floats:
    """Points (n, 2), x, y in metres, on the ridge by parabolas through a cell and its neighbours.

    One parabola gives the distance of the ridge across, the other down. A slanting ridge passes
    through both points, and is nearest on the line between them: a point is moved there. Points on
    the border are moved onto it.
    """
    ridge = np.pad(strength.ridge, 1, mode="edge").astype(np.float64)
    rows, columns = places.T + 1
    here = ridge[rows, columns]
    shifts = []
    for down, right in ((0, 1), (1, 0)):
        before, after = ridge[rows - down, columns - right], ridge[rows + down, columns + right]
        bend = before - 2 * here + after
        # Along a ridge the parabola is flat, and its top too far away to count.
        top = np.where(bend < -1e-6, (before - after) / (2 * np.minimum(bend, -1e-6)), _FAR)
        shifts.append(np.where(top == 0, 1e-9, top))
    aside, below = shifts
    square = aside**2 + below**2
    nearest = np.column_stack([aside * below**2 / square, below * aside**2 / square])
    shift = np.clip(nearest, -0.5, 0.5)
    shift[kinds == JUNCTION] = 0.0
    points = places[:, ::-1] + 0.5 + shift
    limits = np.array(strength.ridge.shape[::-1], dtype=np.float64)
    rim = kinds == BORDER
    points[rim] = _onto_border(points[rim], limits)
    return np.asarray(points * strength.cell, dtype=np.float64)


def _onto_border(points: Floats, limits: Floats) -> Floats:
    """Points (n, 2) in cells moved onto the nearest side of the image."""
    gaps = np.concatenate([points, limits - points], axis=1)
    side = gaps.argmin(axis=1)
    moved = points.copy()
    axis = side % 2
    moved[np.arange(len(points)), axis] = np.where(side < 2, 0.0, limits[axis])
    return moved


_DETOUR = 1.1  # by way of a third vertex


def candidate_pairs(points: Floats, settings: VertexSettings) -> Ints:
    """Indices (m, 2), the smaller first, of pairs of points (n, 2) that may be neighbours.

    They lie within `reach_m`, without a third point so near to the straight line between them
    that the way over it is hardly longer; then the pairs of that point lead along the same road.
    """
    if len(points) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    tree = cKDTree(points)
    pairs: Ints = tree.query_pairs(settings.reach_m, output_type="ndarray").astype(np.int64)
    pairs = np.sort(pairs, axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    middles = points[pairs].mean(axis=1)
    lengths = _distance(points[pairs[:, 0]], points[pairs[:, 1]])
    if not len(pairs):
        return pairs
    near = tree.query_ball_point(middles, _DETOUR * lengths / 2)
    owner = np.repeat(np.arange(len(pairs)), [len(each) for each in near])
    third = np.concatenate([np.asarray(each, dtype=np.int64) for each in near])
    by = _distance(points[third], points[pairs[owner, 0]])
    by += _distance(points[third], points[pairs[owner, 1]])
    own = (third == pairs[owner, 0]) | (third == pairs[owner, 1])
    passed = owner[(by <= _DETOUR * lengths[owner]) & ~own]
    kept = np.ones(len(pairs), dtype=np.bool_)
    kept[passed] = False
    return pairs[kept]


def _distance(first: Floats, second: Floats) -> Floats:
    result: Floats = np.hypot(*(first - second).T)
    return result


def nearest_pairs(points: Floats, reach_m: float, most: int) -> Ints:
    """Indices (m, 2), the smaller first, of points of which one is near the other.

    That is, within `reach_m` and among the `most` nearest to it.
    """
    if len(points) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    count = min(most + 1, len(points))
    distances, near = cKDTree(points).query(points, count)
    own = np.repeat(np.arange(len(points)), count).reshape(near.shape)
    kept = (distances <= reach_m) & (near != own)
    pairs = np.sort(np.column_stack([own[kept], near[kept]]), axis=1)
    unique: Ints = np.unique(pairs, axis=0).astype(np.int64)
    return unique
