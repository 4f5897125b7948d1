"""A large image cut into blocks, each of which is made into roads by itself.

Every block is seen with a halo around it, so wide that what lies inside the block does not depend
on what lies outside the halo. Of the roads found there those inside the block are kept, cut where
they leave it. Its neighbour finds the same line, and cuts it at the same point:
`roadex.graph.joining` ties the pieces together.

Coordinates are in ticks, whole 1/1024 of a pixel of the whole image, so that two blocks that
find the same line up to rounding agree exactly on its points.
"""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.config.graph import DecodingSettings, GraphSettings
from roadex.files import atomic_write
from roadex.graph.decode import probabilities_to_graph
from roadex.graph.network import add_road, empty_network, oriented
from roadex.graph.probability_maps import mean_probability
from roadex.graph.road_table import ATTRIBUTES
from roadex.graph.simplify import simplify_roads, tolerance_of
from roadex.graph.skeleton import Bools, Floats, Ints

TICKS = 1024
# The third number of a node on the line between blocks, which both of them have.
SHARED = -1
# Halos are a multiple of this number of pixels: numbers halfway are rounded to even ones, and
# what is even in the image must be so in a block.
_LEAST_HALO_PX = 64
_ROWS_AT_ONCE = 256
_LEAST_HALO_M = 128.0
Key = tuple[int, int, int]
Levels = NDArray[np.uint8]  # probabilities in 1/256


@dataclass(frozen=True)
class Lattice:
    """Blocks that cover an image.

    Attributes:
        shape: rows and columns of the image.
        side: of a block in pixels, an even number; the last one may be up to a quarter larger.
    """

    shape: tuple[int, int]
    side: int

    @property
    def counts(self) -> tuple[int, int]:
        """The number of blocks down and across."""
        rows, columns = (max(1, -(-(4 * n - self.side) // (4 * self.side))) for n in self.shape)
        return rows, columns

    def blocks(self) -> list[tuple[int, int]]:
        """The row and column of each block."""
        rows, columns = self.counts
        return [(row, column) for row in range(rows) for column in range(columns)]

    def window(self, block: tuple[int, int], halo: int = 0) -> tuple[slice, slice]:
        """Rows and columns of the image that a block covers, with `halo` pixels around it."""
        spans = []
        for index, count, length in zip(block, self.counts, self.shape, strict=True):
            stop = length if index + 1 == count else (index + 1) * self.side
            spans.append(slice(max(0, index * self.side - halo), min(length, stop + halo)))
        return spans[0], spans[1]

    def owners(self, points: Ints, scale: int = 1) -> Ints:
        """The row and column (n, 2) of the blocks of points (n, 2), x, y in ticks times `scale`."""
        last = np.array(self.counts) - 1
        owners: Ints = np.clip(points[:, ::-1] // (self.side * TICKS * scale), 0, last)
        return owners

    def shared(self, points: Ints) -> Bools:
        """Which points (n, 2), x, y in ticks, lie on the line between two blocks."""
        step = self.side * TICKS
        last = np.array(self.counts)[::-1]
        place = points // step
        on_line: Bools = ((points % step == 0) & (place > 0) & (place < last)).any(axis=1)
        return on_line


@dataclass(frozen=True)
class BlockRoads:
    """The roads of one block, in metres of the frame of the whole image.

    Attributes:
        ends: (m, 2, 3) x, y in ticks and number of the first and last node of each.
        points: (k, 2) x, y in metres, road after road.
        offsets: (m + 1,) where each road begins.
        whole: (m,) which roads lie in the block from node to node, and are simplified.
        values: (m, a) of the attributes, NaN where there is none.
    """

    ends: Ints
    points: Floats
    offsets: Ints
    whole: Bools
    values: Floats

    def save(self, path: Path) -> None:
        """Write to a file, whole or not at all."""
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **self.__dict__)

    @classmethod
    def load(cls, path: Path) -> BlockRoads:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as content:
            return cls(**{name: content[name] for name in cls.__dataclass_fields__})


def halo_px(settings: GraphSettings, pixel: tuple[float, float]) -> int:
    """The distance around a block within which the image affects the roads inside."""
    reach = _LEAST_HALO_M + 4 * settings.max_half_width_m + settings.border_m
    if isinstance(settings, DecodingSettings):
        reach += 3 * settings.gaps.reach_m + settings.junction_shift_m
    return _LEAST_HALO_PX * max(1, int(np.ceil(reach / min(pixel) / _LEAST_HALO_PX)))


def decode_block(
    road: Levels,
    connectivity: Levels | None,
    threshold: float,
    pixel: tuple[float, float],
    settings: GraphSettings,
    lattice: Lattice,
    block: tuple[int, int],
) -> BlockRoads:
    """The roads of one block.

    Args:
        road: (H, W) of the whole image in 1/256, perhaps mapped.
        connectivity: (K, H, W) likewise, or None.
        pixel: metres per pixel along x and y.
    """
    rows, columns = lattice.window(block, halo_px(settings, pixel))
    seen = _copied(road, rows, columns)
    ways = None if connectivity is None else connectivity[:, rows, columns]
    local = _unfinished(settings)
    graph = probabilities_to_graph(seen, ways, threshold, pixel, local)
    corner = np.array([columns.start, rows.start]) * TICKS
    pieces = _pieces(graph, pixel, corner, lattice, block)
    return _finished(pieces, (seen, corner / TICKS * pixel), pixel, settings)


def _copied(road: Levels, rows: slice, columns: slice) -> Levels:
    """A part of a map; pages of a mapped file are released as soon as they are copied.

    The system maps many pages around each one, in a wide image whole rows.
    """
    file = getattr(road, "_mmap", None)
    part = np.empty((rows.stop - rows.start, columns.stop - columns.start), road.dtype)
    for top in range(0, len(part), _ROWS_AT_ONCE):
        stop = min(top + _ROWS_AT_ONCE, len(part))
        part[top:stop] = road[rows.start + top : rows.start + stop, columns]
        if file is not None and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
            file.madvise(mmap.MADV_DONTNEED)
    return part


def _unfinished(settings: GraphSettings) -> GraphSettings:
    """The decoding without the steps that need whole roads or networks."""
    local = replace(settings, simplify_m=0.0)
    return replace(local, min_network_m=0.0) if isinstance(local, DecodingSettings) else local


@dataclass(frozen=True)
class _Piece:
    """A stretch of a road inside a block: points (n, 2) in ticks."""

    ends: tuple[Key, Key]
    points: Ints
    data: dict[str, Any]

    @property
    def is_whole(self) -> bool:
        return SHARED not in (self.ends[0][2], self.ends[1][2])


def _pieces(
    graph: nx.MultiGraph,
    pixel: tuple[float, float],
    corner: Ints,
    lattice: Lattice,
    block: tuple[int, int],
) -> list[_Piece]:
    """All stretches of a block's roads, their places in ticks of the whole image."""
    keys = _node_keys(graph, pixel, corner)
    found = []
    for u, v, key, data in graph.edges(keys=True, data=True):
        line = _ticks(oriented(graph, u, v, key), pixel, corner)
        line[0], line[-1] = keys[u][:2], keys[v][:2]
        line = _cut(line, lattice)
        own = (lattice.owners(line[:-1] + line[1:], 2) == block).all(axis=1)
        for first, last in _runs(own):
            points = line[first : last + 1]
            shared = lattice.shared(points[[0, -1]])
            start = _end(points[0], bool(shared[0]), keys[u])
            stop = _end(points[-1], bool(shared[1]), keys[v])
            found.append(_Piece((start, stop), points, data))
    return found


def _node_keys(
    graph: nx.MultiGraph, pixel: tuple[float, float], corner: Ints
) -> dict[Hashable, Key]:
    """Place and number of each node; the number distinguishes nodes at one place, as at bridges."""
    nodes = list(graph)
    places = np.array([(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in nodes]).reshape(-1, 2)
    seen: Counter[tuple[int, int]] = Counter()
    keys: dict[Hashable, Key] = {}
    for node, (x, y) in zip(nodes, _ticks(places, pixel, corner).tolist(), strict=True):
        keys[node] = x, y, seen[x, y]
        seen[x, y] += 1
    return keys


def _ticks(points: Floats, pixel: tuple[float, float], corner: Ints) -> Ints:
    found: Ints = np.rint(points / pixel * TICKS).astype(np.int64) + corner
    return found


def _end(point: Ints, shared: bool, node: Key) -> Key:
    return (int(point[0]), int(point[1]), SHARED) if shared else node


def _runs(own: Bools) -> list[tuple[int, int]]:
    """First and last point of each run of a line's pieces (n - 1) that are the block's."""
    edges = np.diff(np.concatenate([[0], own.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def _cut(line: Ints, lattice: Lattice) -> Ints:
    """A line (n, 2) in ticks with a point wherever it passes from one block to another."""
    owners = lattice.owners(line)
    passing = np.flatnonzero((owners[1:] != owners[:-1]).any(axis=1))
    if not len(passing):
        return line
    parts, start = [], 0
    for i in passing.tolist():
        parts += [line[start : i + 1], _crossings(line[i], line[i + 1], lattice)]
        start = i + 1
    joined = np.concatenate([*parts, line[start:]])
    moved = np.concatenate([[True], (np.diff(joined, axis=0) != 0).any(axis=1)])
    result: Ints = joined[moved]
    return result


def _crossings(start: Ints, stop: Ints, lattice: Lattice) -> Ints:
    """Where the straight way between two points crosses lines between blocks: (n, 2) in ticks.

    It is computed from the same end whichever way the line runs, so that neighbours agree.
    """
    turned = tuple(start.tolist()) > tuple(stop.tolist())
    a, b = (stop, start) if turned else (start, stop)
    step, found = lattice.side * TICKS, []
    for axis, count in ((0, lattice.counts[1]), (1, lattice.counts[0])):
        low, high = sorted((int(a[axis]), int(b[axis])))
        for index in range(low // step + 1, -(-high // step)):
            if 0 < index < count:
                level, other = index * step, 1 - axis
                share = (level - int(a[axis])) / int(b[axis] - a[axis])
                across = int(a[other]) + round(share * int(b[other] - a[other]))
                found.append((share, (level, across) if axis == 0 else (across, level)))
    points = [point for _, point in sorted(found, reverse=turned)]
    return np.array(points, dtype=np.int64).reshape(-1, 2)


def _finished(
    pieces: list[_Piece],
    road: tuple[Levels, Floats],
    pixel: tuple[float, float],
    settings: GraphSettings,
) -> BlockRoads:
    """Pieces in metres, those that are whole simplified, each with its mean probability."""
    pieces = sorted(pieces, key=lambda piece: (piece.ends, piece.points.tobytes()))
    graph = empty_network()
    lines = [piece.points / TICKS * pixel for piece in pieces]
    whole = np.array([piece.is_whole for piece in pieces], dtype=np.bool_)
    names = [
        (*piece.ends, add_road(graph, *piece.ends, line)) if piece.is_whole else None
        for piece, line in zip(pieces, lines, strict=True)
    ]
    simplify_roads(graph, tolerance_of(settings, pixel))
    for i, name in enumerate(names):
        if name is not None:
            lines[i] = oriented(graph, *name)
    ends = np.array([piece.ends for piece in pieces], dtype=np.int64).reshape(-1, 2, 3)
    points = np.concatenate(lines) if lines else np.zeros((0, 2))
    offsets = np.concatenate([[0], np.cumsum([len(line) for line in lines], dtype=np.int64)])
    values = [
        _values(piece.data, line, road, pixel) for piece, line in zip(pieces, lines, strict=True)
    ]
    return BlockRoads(
        ends, points, offsets.astype(np.int64), whole, np.array(values).reshape(-1, len(ATTRIBUTES))
    )


def _values(
    data: dict[str, Any],
    line: Floats,
    road: tuple[Levels, Floats],
    pixel: tuple[float, float],
) -> list[float]:
    found = {**data, "mean_probability": mean_probability(line - road[1], road[0], pixel)}
    return [float(found.get(name, np.nan)) for name in ATTRIBUTES]
