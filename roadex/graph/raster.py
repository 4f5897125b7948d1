"""Roads drawn into pixel arrays: road masks and the connectivity map.

A pixel is covered when its centre lies within half the width of the line, measured exactly. Each
segment of a road covers one run of pixels in each row, and the ends of that run have a closed
form, so the cost is that of the pixels drawn. A tiny addition to the half-width keeps rounding
from deciding ties, so that drawing commutes with flips and quarter turns of the tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.graph.frame import Gsd, extent, pixel_size

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Value = int | NDArray[np.uint8]

ALONG = 2
DEAD_END = 1
_HAIR = 1e-6  # of a pixel: far above rounding, far below anything visible
_RUNS_AT_ONCE = 1 << 16


def draw_roads(
    graph: nx.MultiGraph, shape: tuple[int, int], gsd: Gsd, width_m: float | str
) -> NDArray[np.bool_]:
    """The road mask (rows, columns) of a network in the image frame.

    Args:
        graph: roads in metres in the image frame.
        shape: rows and columns of the tile; what lies outside is cut off.
        gsd: metres per pixel, one number or (along x, along y).
        width_m: width of every road in metres, or the name of the edge attribute that holds it.

    Raises:
        RoadexError: a road lacks the attribute.
    """
    mask = np.zeros(shape, dtype=np.bool_)
    starts, ends, radii = _segments(graph, width_m)
    _paint(mask, gsd, starts, ends, radii, True)
    return mask


def connectivity_map(
    graph: nx.MultiGraph,
    shape: tuple[int, int],
    gsd: Gsd,
    width_m: float,
    classes: int = 5,
    disc_ratio: float = 0.85,
    border_m: float = 1.0,
) -> NDArray[np.uint8]:
    """The number of directions in which the road leaves each pixel, uint8 (rows, columns).

    0 is background, 2 along a road; a disc of `disc_ratio` * `width_m` in diameter marks each dead
    end (1) and each junction (its degree, at most `classes` - 1). Where discs overlap the higher
    class wins. Degree counts ends of edges; nodes of degree 2 leave no trace, and a dead end within
    `border_m` metres of the border (or beyond it) is a road cut there, which gets no disc. After
    Xu et al. 2023, whose generator is unpublished: the rules are read off their figure.
    """
    labels = np.zeros(shape, dtype=np.uint8)
    starts, ends, radii = _segments(graph, width_m)
    _paint(labels, gsd, starts, ends, radii, ALONG)
    points, degrees = _marked_nodes(graph, extent(shape, gsd), border_m)
    directions = np.minimum(degrees, classes - 1)
    for value in np.unique(directions):
        centres = points[directions == value]
        radius = np.full(len(centres), disc_ratio * width_m / 2)
        _paint(labels, gsd, centres, centres, radius, int(value))
    return labels


def draw_values(
    target: NDArray[np.uint8],
    graph: nx.MultiGraph,
    gsd: Gsd,
    width_m: float,
    value: Callable[[Floats, Floats], NDArray[np.uint8]],
) -> None:
    """Draw every straight piece of every road with a value of its own, later ones over earlier.

    Args:
        target: (rows, columns), drawn into.
        value: the values (n) of segments from (n, 2) to (n, 2), in metres.
    """
    starts, ends, radii = _segments(graph, width_m)
    _paint(target, gsd, starts, ends, radii, value(starts, ends))


def draw_road_values(
    target: NDArray[np.uint8],
    graph: nx.MultiGraph,
    gsd: Gsd,
    width_m: float | str,
    values: Sequence[int],
) -> None:
    """Draw every road with a value of its own, later ones over earlier.

    Args:
        target: (rows, columns), drawn into.
        width_m: as of `draw_roads`.
        values: of the roads, in the order of the graph's edges.
    """
    starts, ends, radii = _segments(graph, width_m)
    pieces = [len(line) - 1 for *_, line in graph.edges(data="geometry")]
    each = np.repeat(np.array(values, np.uint8), np.array(pieces, np.int64))
    _paint(target, gsd, starts, ends, radii, each)


def _segments(graph: nx.MultiGraph, width_m: float | str) -> tuple[Floats, Floats, Floats]:
    """Starts (n, 2), ends (n, 2) and half-widths (n) of all straight pieces of all roads."""
    lines = [line for *_, line in graph.edges(data="geometry")]
    if not lines:
        return np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0)
    points = np.concatenate(lines)
    counts = np.array([len(line) for line in lines])
    inner = np.ones(len(points), dtype=np.bool_)
    inner[np.cumsum(counts) - 1] = False
    first = np.flatnonzero(inner)
    radii = np.repeat(_widths(graph, width_m) / 2, counts - 1)
    return points[first], points[first + 1], radii


def _widths(graph: nx.MultiGraph, width_m: float | str) -> Floats:
    if not isinstance(width_m, str):
        return np.full(graph.number_of_edges(), float(width_m))
    widths = [width for *_, width in graph.edges(data=width_m)]
    if None in widths:
        raise RoadexError(f"a road has no attribute {width_m!r}: give one width in metres instead")
    return np.array(widths, dtype=np.float64)


def _marked_nodes(
    graph: nx.MultiGraph, size: tuple[float, float], border_m: float
) -> tuple[Floats, Ints]:
    """Positions (n, 2) and degrees (n) of the junctions and of the dead ends inside the tile."""
    nodes = [(data["x"], data["y"], graph.degree(node)) for node, data in graph.nodes(data=True)]
    table = np.array(nodes, dtype=np.float64).reshape(-1, 3)
    points, degrees = table[:, :2], table[:, 2].astype(np.int64)
    margin = np.minimum(points, np.array(size) - points).min(axis=1, initial=np.inf)
    dead_end = (degrees == DEAD_END) & (margin > border_m + _HAIR)
    marked = dead_end | (degrees > ALONG)
    return points[marked], degrees[marked]


def _paint(
    target: NDArray[Any], gsd: Gsd, starts: Floats, ends: Floats, radii: Floats, value: Value
) -> None:
    """Set every pixel whose centre is within `radii` metres of its segment to its `value`."""
    values = np.broadcast_to(np.asarray(value, target.dtype), len(starts))
    pixel = pixel_size(gsd)
    radii = radii + _HAIR * min(pixel)
    top, counts = _rows_touched(target.shape[0], pixel[1], starts, ends, radii)
    flat = target.reshape(-1)
    for batch in _batches(counts):
        segment = np.repeat(batch, counts[batch])
        row = top[segment] + _count_up(counts[batch])
        first, last = _columns(row, pixel, starts[segment], ends[segment], radii[segment])
        first, last = np.maximum(first, 0), np.minimum(last, target.shape[1] - 1)
        lengths = np.maximum(last - first + 1, 0)
        pixels = np.repeat(row * target.shape[1] + first, lengths) + _count_up(lengths)
        flat[pixels] = np.repeat(values[segment], lengths)


def _rows_touched(
    rows: int, height: float, starts: Floats, ends: Floats, radii: Floats
) -> tuple[Ints, Ints]:
    """The first row (n) and the number of rows (n) that each segment may cover."""
    low = np.minimum(starts[:, 1], ends[:, 1]) - radii
    high = np.maximum(starts[:, 1], ends[:, 1]) + radii
    top = np.clip(np.ceil(low / height - 0.5), 0, rows).astype(np.int64)
    bottom = np.clip(np.floor(high / height - 0.5), -1, rows - 1).astype(np.int64)
    return top, np.maximum(bottom - top + 1, 0)


def _batches(counts: Ints) -> Iterator[Ints]:
    """Indices of segments in groups whose rows are few enough to be worked on at once."""
    group = np.cumsum(counts) // _RUNS_AT_ONCE
    return iter(np.split(np.arange(len(counts)), np.flatnonzero(np.diff(group)) + 1))


def _count_up(lengths: Ints) -> Ints:
    """0, 1, ... length - 1 for every length, one after the other."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _columns(
    row: Ints, pixel: tuple[float, float], starts: Floats, ends: Floats, radii: Floats
) -> tuple[Ints, Ints]:
    """First and last column whose centre is within the radius of the segment, row by row."""
    along, down = (ends - starts).T
    offset = (row + 0.5) * pixel[1] - starts[:, 1]
    right = starts[:, 0] + _reach(along, down, offset, radii)
    left = starts[:, 0] - _reach(-along, down, offset, radii)
    first = np.ceil(left / pixel[0] - 0.5)
    last = np.floor(right / pixel[0] - 0.5)
    return first.astype(np.int64), last.astype(np.int64)


def _reach(along: Floats, down: Floats, offset: Floats, radii: Floats) -> Floats:
    """How far to the right of a segment's start its surroundings reach in one row.

    The segment runs from (0, 0) to (along, down); the row lies at y = offset. The point t of the
    segment reaches t * along + sqrt(radius^2 - (offset - t * down)^2), a concave function of t
    whose maximum is where the outline is parallel to the segment, or at an end of what is allowed.
    """
    level = down == 0
    slope = np.where(level, 1.0, down)
    ahead = np.sign(slope) * radii * along / np.maximum(np.hypot(along, down), 1e-300)
    best = np.where(level, along > 0, (offset + ahead) / slope)
    nearest, farthest = (offset - radii) / slope, (offset + radii) / slope
    lowest = np.where(level, 0.0, np.minimum(nearest, farthest)).clip(0, 1)
    highest = np.where(level, 1.0, np.maximum(nearest, farthest)).clip(0, 1)
    t = np.clip(best, lowest, highest)
    result: Floats = t * along + np.sqrt(np.maximum(radii**2 - (offset - t * down) ** 2, 0.0))
    return result
