"""Pairs of vertices that a road may join."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from roadex.config.graph import VertexSettings
from roadex.graph.paths.vertices import Floats, Ints

_DETOUR = 1.1  # by way of a third vertex


def candidate_pairs(points: Floats, settings: VertexSettings) -> Ints:
    """Indices (m, 2), the smaller first, of pairs of points (n, 2) that may be neighbours.

    They lie within `reach_m`, and no third point lies so near to the straight line between them
    that the way past it is hardly longer: that one's pairs lead along the same road.
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
