"""Where missing roads meet the map."""

from __future__ import annotations

import networkx as nx
import numpy as np
import shapely

from roadex.changes.samples import Floats


def tied(lines: list[Floats], known: nx.MultiGraph, join_m: float) -> list[Floats]:
    """Lines whose ends near the map (`join_m`) lie on it, at a vertex if one is near."""
    if not lines or not known.number_of_edges():
        return lines
    roads = [line for *_, line in known.edges(data="geometry")]
    vertices = np.concatenate(roads)
    ends = np.concatenate([line[[0, -1]] for line in lines])
    places = shapely.points(ends)
    target = ends.copy()
    shapes = np.array([shapely.linestrings(line) for line in roads])
    own, road = shapely.STRtree(shapes).query_nearest(
        places, max_distance=join_m, all_matches=False
    )
    walked = shapely.line_locate_point(shapes[road], places[own])
    target[own] = shapely.get_coordinates(shapely.line_interpolate_point(shapes[road], walked))
    near = shapely.STRtree(shapely.points(vertices))
    own, vertex = near.query_nearest(places, max_distance=join_m, all_matches=False)
    target[own] = vertices[vertex]
    return [
        _with_ends(line, *target[2 * index : 2 * index + 2]) for index, line in enumerate(lines)
    ]


def _with_ends(line: Floats, first: Floats, last: Floats) -> Floats:
    """A line with other ends; it stays as it is where they would make it a ring of nothing."""
    if np.array_equal(first, last) and not np.array_equal(line[0], line[-1]):
        return line
    return np.vstack([first, line[1:-1], last])
