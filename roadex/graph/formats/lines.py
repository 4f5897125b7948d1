"""A network from bare lines: every vertex that lines share is where they meet.

Vertices are one when their coordinates are exactly equal; lines that cross between vertices do
not connect. Runs through vertices where only two pieces meet become one road.

What cannot be a road is left out and counted in `graph.graph["dropped"]`: lines of one point,
vertices without finite coordinates (the line is cut there), points repeated in a row, and pieces
that another line, or the same one, has already drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.attributes import add_times, directed
from roadex.graph.network import add_road, empty_network, merge_degree_two, polyline_length
from roadex.graph.skeleton import Bools, Floats, Ints

Line = tuple[Floats, dict[str, Any]]
OWN_NAMES = ("geometry", "length")
SHARED = "travel_time_s"


def network_from_lines(
    lines: Iterable[Line],
    crs: str | None = None,
    place: Callable[[Floats], Floats] = lambda points: points,
    measure: Callable[[Floats], Floats] | None = None,
    dropped: Counter[str] | None = None,
    doubled_vanish: bool = False,
    keep_apart: Collection[str] = (),
    timed: bool = False,
) -> nx.MultiGraph:
    """Build a network from lines (n, 2) with attributes.

    A line's `travel_time_s` is shared among the roads that it becomes.

    Args:
        lines: coordinates in any system, and the attributes of their roads.
        crs: the projected CRS of the network; None for the image frame.
        place: brings coordinates (n, 2) to metres in that system.
        measure: lengths (n - 1) in metres of the pieces of a line in its own coordinates; without
            it lengths are planar, after `place`.
        dropped: reasons and counts of what the caller has left out already.
        doubled_vanish: leave out both copies of a piece drawn twice, and self-loops.
        keep_apart: attributes at whose change a road ends.
        timed: give `travel_time_s` to pieces with a speed or a class, before lines are joined.
    """
    counts: Counter[str] = Counter(dropped or {})
    kept = [
        part for line in lines for part in _sound_parts(directed(*line, dropped=counts), counts)
    ]
    graph = empty_network(crs)
    if kept:
        _add_lines(graph, kept, place, measure, counts, doubled_vanish)
        if timed:
            add_times(graph)
        graph = merge_degree_two(graph, keep_apart)
    if doubled_vanish:
        loops = list(nx.selfloop_edges(graph, keys=True))
        counts["self-loop"] += len(loops)
        graph.remove_edges_from(loops)
    graph.graph["dropped"] = {reason: count for reason, count in counts.items() if count}
    return graph


def _sound_parts(line: Line, dropped: Counter[str]) -> list[Line]:
    """The parts of a line with finite coordinates and at least two different points in a row."""
    points, attributes = np.asarray(line[0], dtype=np.float64) + 0.0, line[1]  # no negative zero
    dropped["line without points"] += not len(points)
    finite = np.isfinite(points).all(axis=1)
    dropped["vertex without finite coordinates"] += int((~finite).sum())
    pieces = np.split(points, np.flatnonzero(~finite)) if not finite.all() else [points]
    parts = []
    for piece in pieces:
        piece = piece[np.isfinite(piece).all(axis=1)]
        if not len(piece):
            continue
        moved = np.concatenate([[True], (np.diff(piece, axis=0) != 0).any(axis=1)])
        dropped["repeated point"] += int((~moved).sum())
        if moved.sum() >= 2:
            parts.append((piece[moved], attributes))
        else:
            dropped["line with one point"] += 1
    return parts


def _add_lines(
    graph: nx.MultiGraph,
    lines: list[Line],
    place: Callable[[Floats], Floats],
    measure: Callable[[Floats], Floats] | None,
    dropped: Counter[str],
    doubled_vanish: bool,
) -> None:
    """Cut lines at the vertices they share, and add the pieces as roads."""
    points = np.concatenate([line for line, _ in lines])
    owner = np.repeat(np.arange(len(lines)), [len(line) for line, _ in lines])
    names = _vertex_names(points)
    broken = owner[1:] != owner[:-1]
    doubled = _doubled(names, broken, doubled_vanish)
    dropped["piece drawn twice"] += int(doubled.sum())
    broken |= doubled
    meeting = np.bincount(names)[names] > 1
    meeting[0] = meeting[-1] = True
    meeting[1:] |= broken
    meeting[:-1] |= broken
    led_back = _led_back(names, owner, lines)
    metres = place(points)
    whole = np.bincount(owner[1:][owner[1:] == owner[:-1]], weights=_steps(metres, owner))
    for first, last in pairwise(np.flatnonzero(meeting).tolist()):
        if not broken[first]:
            stretch = slice(first, last + 1)
            attributes = {k: v for k, v in lines[owner[first]][1].items() if k not in OWN_NAMES}
            if led_back[first]:
                attributes["oneway"] = False
            planar = polyline_length(metres[stretch])
            length = float(measure(points[stretch]).sum()) if measure else planar
            if isinstance(attributes.get(SHARED), int | float):
                attributes[SHARED] *= planar / whole[owner[first]]
            ends = int(names[first]), int(names[last])
            add_road(graph, *ends, metres[stretch], **attributes, length=length)


def _steps(points: Floats, owner: Ints) -> Floats:
    """Lengths of the pieces between points (n, 2) in a row of one line."""
    steps = np.diff(points, axis=0)[owner[1:] == owner[:-1]]
    return np.asarray(np.hypot(steps[:, 0], steps[:, 1]))


def _vertex_names(points: Floats) -> Ints:
    """A number (n) for each point, equal for equal coordinates, in order of first appearance."""
    _, first, names = np.unique(points, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[names.reshape(-1)]


def _led_back(names: Ints, owner: Ints, lines: list[Line]) -> Bools:
    """Which pieces (n - 1) of one-way lines are drawn a second time in the other direction."""
    one_way = np.array([attributes.get("oneway") is True for _, attributes in lines])[owner[:-1]]
    if not one_way.any():
        return one_way
    size, inside = int(names.max()) + 1, owner[1:] == owner[:-1]
    there, back = names[:-1] * size + names[1:], names[1:] * size + names[:-1]
    led = np.concatenate([there[inside], back[inside & ~one_way]])
    found: Bools = one_way & inside & np.isin(back, led)
    return found


def _doubled(names: Ints, broken: Bools, every: bool) -> NDArray[np.bool_]:
    """Which pieces (n - 1) join the vertices of an earlier piece, or with `every` of any other."""
    low, high = np.minimum(names[:-1], names[1:]), np.maximum(names[:-1], names[1:])
    codes = low * (int(names.max()) + 1) + high
    codes[broken] = -1 - np.arange(int(broken.sum()))
    _, first, group, sizes = np.unique(
        codes, return_index=True, return_inverse=True, return_counts=True
    )
    doubled = sizes[group] > 1
    if not every:
        doubled[first] = False
    return doubled
