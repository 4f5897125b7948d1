"""The lines of a skeleton: traced from one-pixel-wide curves, and smoothed.

Two pixels are linked when they share a side, or a corner that no third pixel of the skeleton
joins already; so a bend of the staircase is not a junction. Pixels without exactly two links, and
those of 2 x 2 blocks, are nodes, and nodes that touch are one. What remains are chains. Tied end to
end the chains form one long path, which one breadth-first walk in C puts into order.

A chain of pixels is longer than its line: by up to 8 % where it goes from corner to corner, by up
to 41 % where it goes from side to side. Each chain is therefore smoothed by the filter 2 G - G G,
where G is a Gaussian over the points of the chain. Its second moment is zero, so that a curve keeps
its radius, which G alone would shorten (Taubin 1995 has the same aim).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Lines:
    """Nodes and polylines of a skeleton in pixels: (column, row), whole numbers at pixel centres.

    Line i runs from node `ends[i, 0]` to node `ends[i, 1]` through
    `points[offsets[i] : offsets[i + 1]]`, the positions of its nodes included.
    """

    nodes: Floats  # (n, 2)
    ends: Ints  # (m, 2)
    points: Floats  # (k, 2)
    offsets: Ints  # (m + 1,)


@dataclass(frozen=True)
class _Chains:
    """Pixels of all chains in order, with where each chain begins and what its ends link to."""

    pixels: Ints  # (c,) chain after chain
    offsets: Ints  # (m + 1,) into `pixels`
    is_ring: Bools  # (m,)
    neighbours: Ints  # (m, 2) node pixel before and after each chain; -1 for rings


def trace(skeleton: NDArray[np.bool_]) -> Lines:
    """The lines of a boolean skeleton (rows, columns); a lone pixel gives no line."""
    rows, columns = np.nonzero(skeleton)
    width = skeleton.shape[1]
    del skeleton  # by far the largest array, no longer needed
    links, in_block = _links(rows, columns, width)
    degrees = np.bincount(links.ravel(), minlength=len(rows))
    is_node = (degrees != 2) | in_block
    places = np.column_stack([columns, rows]).astype(np.float64)
    node_of, nodes = _merged_nodes(places, links, is_node)
    return _assemble(places, node_of, nodes, _chains(links, is_node))


def _links(rows: Ints, columns: Ints, width: int) -> tuple[Ints, Bools]:
    """Linked pairs (l, 2) of pixel indices, and which pixels (n) lie in a 2 x 2 block."""
    wide = width + 2  # a margin on either side, so that rows do not run into each other
    codes = rows * wide + columns + 1
    east, south_west, south, south_east = (
        _find(codes, codes + step) for step in (1, wide - 1, wide, wide + 1)
    )
    has_west = np.zeros(len(codes), dtype=np.bool_)
    has_west[east[east >= 0]] = True
    corner = np.flatnonzero((east >= 0) & (south >= 0) & (south_east >= 0))
    in_block = np.zeros(len(codes), dtype=np.bool_)
    for partner in (np.arange(len(codes)), east, south, south_east):
        in_block[partner[corner]] = True
    south_east = np.where((east >= 0) | (south >= 0), -1, south_east)
    south_west = np.where(has_west | (south >= 0), -1, south_west)
    partners = np.stack([east, south_west, south, south_east])
    kind, first = np.nonzero(partners >= 0)
    return np.column_stack([first, partners[kind, first]]), in_block


def _find(codes: Ints, wanted: Ints) -> Ints:
    """The index of each wanted code in the sorted codes, -1 where it is not among them."""
    index = np.searchsorted(codes, wanted)
    index[index == len(codes)] = 0
    return np.where(codes[index] == wanted, index, -1) if len(codes) else index


def _components(links: Ints, size: int) -> tuple[int, Ints]:
    """The number of connected components, and the component of each of `size` members."""
    matrix = coo_array((np.ones(len(links), np.int8), links.T), shape=(size, size))
    count, labels = connected_components(matrix, directed=False)
    return count, labels.astype(np.int64)


def _merged_nodes(places: Floats, links: Ints, is_node: Bools) -> tuple[Ints, Floats]:
    """The node that each pixel belongs to (-1: none), and the mean position of each node."""
    between = links[is_node[links].all(axis=1)]
    _, labels = _components(between, len(places))
    names, compact = np.unique(labels[is_node], return_inverse=True)
    node_of = np.full(len(places), -1)
    node_of[is_node] = compact
    sizes = np.bincount(compact, minlength=len(names))
    sums = [np.bincount(compact, places[is_node, i], len(names)) for i in (0, 1)]
    return node_of, np.column_stack(sums) / sizes[:, None]


def _chains(links: Ints, is_node: Bools) -> _Chains:
    """All chains of pixels between nodes, each in order; rings are cut open somewhere."""
    members = np.flatnonzero(~is_node)
    rank = np.cumsum(~is_node) - 1
    inside = rank[links[~is_node[links].any(axis=1)]]
    count, chain_of = _components(inside, len(members))
    inside, is_ring = _cut_rings(inside, chain_of, count, len(members))
    heads, tails = _tips(inside, chain_of, len(members))
    order = _walk(np.concatenate([inside, np.column_stack([tails[:-1], heads[1:]])]), heads)
    sizes = np.bincount(chain_of, minlength=count)
    place = np.empty(len(members), dtype=np.int64)
    place[order] = np.arange(len(members))
    neighbours = np.full((count, 2), -1)
    neighbours[~is_ring] = _outer_neighbours(links, is_node, place, rank)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return _Chains(members[order], offsets, is_ring, neighbours)


def _cut_rings(links: Ints, chain_of: Ints, count: int, size: int) -> tuple[Ints, Bools]:
    """Drop one link of every chain without ends; also returns which chains those are."""
    open_ends = np.bincount(chain_of, 2 - np.bincount(links.ravel(), minlength=size), count)
    is_ring = open_ends == 0
    candidates = np.flatnonzero(is_ring[chain_of[links[:, 0]]])
    _, first = np.unique(chain_of[links[candidates, 0]], return_index=True)
    return np.delete(links, candidates[first], axis=0), is_ring


def _tips(links: Ints, chain_of: Ints, size: int) -> tuple[Ints, Ints]:
    """The first and last pixel of each chain; one and the same where a chain is one pixel."""
    missing = 2 - np.bincount(links.ravel(), minlength=size)
    tips = np.repeat(np.arange(size), missing)
    pairs = tips[np.argsort(chain_of[tips], kind="stable")].reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _walk(links: Ints, heads: Ints) -> Ints:
    """The members of one long path in order, from the head of the first chain."""
    if not len(heads):
        return np.zeros(0, dtype=np.int64)
    size = len(links) + 1
    both = np.concatenate([links, links[:, ::-1]])
    path = coo_array((np.ones(len(both), np.int8), both.T), shape=(size, size)).tocsr()
    result: Ints = breadth_first_order(path, heads[0], return_predecessors=False).astype(np.int64)
    return result


def _outer_neighbours(links: Ints, is_node: Bools, place: Ints, rank: Ints) -> Ints:
    """The node pixels (m, 2) that the two ends of each open chain link to, chain by chain."""
    crossing = links[is_node[links].sum(axis=1) == 1]
    outer = is_node[crossing]
    order = np.argsort(place[rank[crossing[~outer]]], kind="stable")
    result: Ints = crossing[outer][order].reshape(-1, 2)
    return result


def _assemble(places: Floats, node_of: Ints, nodes: Floats, chains: _Chains) -> Lines:
    """Polylines that begin and end at nodes; a ring gets a node of its own between its tips."""
    rings = np.flatnonzero(chains.is_ring)
    first = places[chains.pixels[chains.offsets[rings]]]
    last = places[chains.pixels[chains.offsets[rings + 1] - 1]]
    all_nodes = np.concatenate([nodes, (first + last) / 2])
    ends = node_of[chains.neighbours]
    ends[rings] = (len(nodes) + np.arange(len(rings)))[:, None]
    offsets = chains.offsets + 2 * np.arange(len(chains.offsets))
    points = np.empty((offsets[-1], 2))
    points[offsets[:-1]] = all_nodes[ends[:, 0]]
    points[offsets[1:] - 1] = all_nodes[ends[:, 1]]
    is_pixel = np.ones(len(points), dtype=np.bool_)
    is_pixel[offsets[:-1]] = is_pixel[offsets[1:] - 1] = False
    points[is_pixel] = places[chains.pixels]
    return Lines(all_nodes, ends, points, offsets)


# Of the Gaussian, in points of a chain: stairs of the steepest kinds repeat within as many.
DEVIATION = 2.0
_REACH = 12  # points on either side beyond which the filter is zero


def smooth_chains(points: Floats, offsets: Ints, rings: NDArray[np.bool_]) -> Floats:
    """The chains (k, 2) that start at `offsets` (m + 1,), smoothed; their ends stay.

    An open chain is continued beyond its ends by point reflection, so that straight lines stay
    straight; a ring is continued at its other end.

    Args:
        rings: (m,) whether a chain's first point is its last.
    """
    if not len(points):
        return points
    sizes = np.diff(offsets)
    chains = np.repeat(np.arange(len(sizes)), sizes + 2 * _REACH)
    starts = offsets[:-1] + 2 * _REACH * np.arange(len(sizes))
    index = np.arange(len(chains)) - starts[chains] - _REACH
    last = sizes[chains] - 1
    closed = rings[chains]
    around = np.where(closed, index % np.maximum(last, 1), np.abs(index))
    mirrored = np.minimum(np.where(closed | (index <= last), around, 2 * last - index), last)
    mirrored = np.maximum(mirrored, 0)
    padded = points[offsets[chains] + mirrored]
    outside = ~closed & ((index < 0) | (index > last))
    ends = points[offsets[chains] + np.where(index < 0, 0, last)]
    padded[outside] = 2 * ends[outside] - padded[outside]
    kernel = _kernel()
    inside = (index >= 0) & (index <= last)
    smoothed = np.column_stack(
        [np.convolve(padded[:, axis], kernel, mode="same")[inside] for axis in (0, 1)]
    )
    ends_of = np.concatenate([offsets[:-1], offsets[1:] - 1])
    smoothed[ends_of] = points[ends_of]
    return smoothed


def _kernel() -> Floats:
    """2 G - G G over `_REACH` points on either side."""
    half = _REACH // 2
    steps = np.arange(-half, half + 1)
    once = np.exp(-0.5 * (steps / DEVIATION) ** 2)
    once /= once.sum()
    kernel: Floats = 2 * np.pad(once, half) - np.convolve(once, once)
    return kernel
