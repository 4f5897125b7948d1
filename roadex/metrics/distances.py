"""Shortest-path distances between many points on a network, without an all-pairs matrix.

Dijkstra runs between junctions only. A point on a road is known by its distances to the two
junctions that the road joins, so d(p, q) is the least of the four ways over the ends of their
roads, or the way along the road where both lie on one. Sources are taken in blocks: memory grows
as points x block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from roadex.metrics.roads import Floats, Integers

# Up to this many junctions all rows are computed once and kept (32 MB); beyond, block by block.
FULL_MATRIX = 2048


@dataclass(frozen=True)
class Places:
    """Points on a network: on edge `edge` at `offset` metres from its first end, or on a node.

    Attributes:
        node: (p,) node number, or -1 for a point inside an edge.
        edge: (p,) edge number, used where node is -1.
        offset: (p,) distance from the edge's first end in metres, used where node is -1.
    """

    node: Integers
    edge: Integers
    offset: Floats

    def take(self, index: NDArray[np.integer]) -> Places:
        """The points of the given numbers, in that order."""
        return Places(self.node[index], self.edge[index], self.offset[index])

    def paced(self, pace: Floats) -> Places:
        """The same points on edges where a metre costs `pace` (m,)."""
        if not len(pace):
            return self
        return Places(self.node, self.edge, self.offset * pace[np.maximum(self.edge, 0)])

    def __len__(self) -> int:
        return len(self.node)


@dataclass(frozen=True)
class _Chains:
    """Runs of edges between junctions; the arrays `edge_*` and `node_*` locate edges and nodes.

    Attributes:
        core: (n,) number of a node among the junctions, or -1.
        node_chain, node_offset: (n,) chain and distance along it of the other nodes.
        edge_chain, edge_offset, edge_forward: (m,) chain of an edge, distance along the chain of
            its beginning, and whether it runs as the chain does.
        ends: (c, 2) junctions of each chain.
        lengths: (c,) metres.
    """

    core: Integers
    node_chain: Integers
    node_offset: Floats
    edge_chain: Integers
    edge_offset: Floats
    edge_forward: NDArray[np.bool_]
    ends: Integers
    lengths: Floats


@dataclass(frozen=True)
class Anchors:
    """Points by their two junctions: (p,) `first`, `to_first`, `second`, `to_second`, `chain`.

    A point on a junction has it twice at distance 0, and chain -1.
    """

    first: Integers
    to_first: Floats
    second: Integers
    to_second: Floats
    chain: Integers
    along: Floats


class Distances:
    """Distances on a network given by its edges' ends (m, 2) and weights (m,) in metres."""

    def __init__(self, nodes: int, ends: Integers, weights: Floats) -> None:
        self.weights = weights
        self._chains = _contract(nodes, ends, weights)
        self.junctions = int(self._chains.core.max(initial=-1)) + 1
        self._matrix = _junction_matrix(self.junctions, self._chains)
        self.component = connected_components(self._matrix, directed=False)[1]
        self._all: Floats | None = None

    def anchors(self, places: Places) -> Anchors:
        """Express points by the junctions next to them."""
        chains = self._chains
        on_node = places.node >= 0
        node, edge = np.maximum(places.node, 0), np.maximum(places.edge, 0)
        core = np.where(on_node, chains.core[node], -1)
        if len(chains.lengths) == 0:
            zero = np.zeros(len(places))
            return Anchors(core, zero, core, zero, np.full(len(places), -1), zero)
        back = self.weights[edge] - places.offset
        along = chains.edge_offset[edge] + np.where(chains.edge_forward[edge], places.offset, back)
        along = np.where(on_node, chains.node_offset[node], along)
        chain = np.where(on_node, chains.node_chain[node], chains.edge_chain[edge])
        first, second = chains.ends[chain].T
        is_core = core >= 0
        return Anchors(
            first=np.where(is_core, core, first),
            to_first=np.where(is_core, 0.0, along),
            second=np.where(is_core, core, second),
            to_second=np.where(is_core, 0.0, chains.lengths[chain] - along),
            chain=np.where(is_core, -1, chain),
            along=along,
        )

    def component_of(self, anchors: Anchors) -> Integers:
        """Number of the connected component of each point."""
        return np.asarray(self.component[anchors.first], dtype=np.int64)

    def block(self, sources: Anchors, targets: Anchors) -> Floats:
        """Distances in metres, (targets, sources), infinite where there is no way."""
        near = self._from_junctions(sources.first) + sources.to_first
        over_second = self._from_junctions(sources.second) + sources.to_second
        np.minimum(near, over_second, out=near)
        result = near[targets.first]
        result += targets.to_first[:, None]
        over_second = near[targets.second]
        over_second += targets.to_second[:, None]
        np.minimum(result, over_second, out=result)
        _shorten_along_chains(result, sources, targets)
        return result

    def _from_junctions(self, junctions: Integers) -> Floats:
        """Distances from every junction to the given ones, (all junctions, given)."""
        if self.junctions <= FULL_MATRIX:
            if self._all is None:
                self._all = dijkstra(self._matrix, directed=True)
            return np.ascontiguousarray(self._all[junctions].T)
        wanted, index = np.unique(junctions, return_inverse=True)
        rows = dijkstra(self._matrix, directed=True, indices=wanted)
        return np.ascontiguousarray(rows.T[:, index])


class DistanceMemo:
    """The distances of one network, kept: both directions of a score mostly need the same ones."""

    def __init__(self, nodes: int, ends: Integers) -> None:
        self._nodes, self._ends = nodes, ends
        self._known: list[Distances] = []

    def get(self, weights: Floats) -> Distances:
        """Distances with these edge weights (m,), or with ones that differ by rounding only."""
        for distances in self._known:
            if np.allclose(distances.weights, weights, rtol=0, atol=1e-9):
                return distances
        self._known.append(Distances(self._nodes, self._ends, weights))
        return self._known[-1]


def take_anchors(anchors: Anchors, index: NDArray[np.integer] | slice) -> Anchors:
    """The anchors of the given points."""
    return Anchors(
        anchors.first[index],
        anchors.to_first[index],
        anchors.second[index],
        anchors.to_second[index],
        anchors.chain[index],
        anchors.along[index],
    )


def _shorten_along_chains(result: Floats, sources: Anchors, targets: Anchors) -> None:
    """Where two points share a chain, the way along it may be the shortest."""
    order = np.argsort(targets.chain, kind="stable")
    ranked = targets.chain[order]
    for chain in np.unique(sources.chain[sources.chain >= 0]):
        low, high = np.searchsorted(ranked, (chain, chain + 1))
        if low == high:
            continue
        rows, columns = order[low:high], np.flatnonzero(sources.chain == chain)
        direct = np.abs(targets.along[rows][:, None] - sources.along[columns])
        cells = np.ix_(rows, columns)
        result[cells] = np.minimum(result[cells], direct)


def _junction_matrix(junctions: int, chains: _Chains) -> csr_matrix:
    """Shortest chain between each two junctions as a symmetric sparse matrix."""
    between = chains.ends[:, 0] != chains.ends[:, 1]
    low, high = chains.ends[between].min(axis=1), chains.ends[between].max(axis=1)
    lengths = chains.lengths[between]
    order = np.lexsort((lengths, high, low))
    low, high, lengths = low[order], high[order], lengths[order]
    first = np.ones(len(low), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    low, high, lengths = low[first], high[first], lengths[first]
    rows, columns = np.concatenate((low, high)), np.concatenate((high, low))
    both = np.concatenate((lengths, lengths))
    return coo_matrix((both, (rows, columns)), shape=(junctions, junctions)).tocsr()


def _contract(nodes: int, ends: Integers, weights: Floats) -> _Chains:
    """Merge the edges between junctions (nodes whose degree is not 2) into chains."""
    walker = _ChainWalker(nodes, ends, weights)
    degree = np.bincount(ends.ravel(), minlength=nodes)
    for node in np.flatnonzero(degree != 2).tolist():
        walker.add_junction(node)
    for node in np.flatnonzero(degree != 2).tolist():
        walker.walk_from(node)
    # The rest are rings without a junction, each anchored at its first node.
    for node in np.flatnonzero(degree == 2).tolist():
        if not walker.reached(node):
            walker.add_junction(node)
            walker.walk_from(node)
    return walker.chains()


class _ChainWalker:
    """Follows edges through nodes of degree 2 and records their places."""

    def __init__(self, nodes: int, ends: Integers, weights: Floats) -> None:
        self._ends = ends.tolist()
        self._weights = weights.tolist()
        self._incident: list[list[int]] = [[] for _ in range(nodes)]
        for edge, (u, v) in enumerate(self._ends):
            self._incident[u].append(edge)
            self._incident[v].append(edge)
        edges = len(self._ends)
        self._core = [-1] * nodes
        self._junctions = 0
        self._node_chain, self._node_offset = [-1] * nodes, [0.0] * nodes
        self._edge_chain, self._edge_offset = [-1] * edges, [0.0] * edges
        self._edge_forward = [True] * edges
        self._chain_ends: list[tuple[int, int]] = []
        self._lengths: list[float] = []

    def add_junction(self, node: int) -> None:
        self._core[node] = self._junctions
        self._junctions += 1

    def reached(self, node: int) -> bool:
        return self._core[node] >= 0 or self._node_chain[node] >= 0

    def walk_from(self, node: int) -> None:
        for edge in self._incident[node]:
            if self._edge_chain[edge] < 0:
                self._follow(node, edge)

    def _follow(self, start: int, edge: int) -> None:
        chain, offset, node = len(self._lengths), 0.0, start
        while True:
            u, v = self._ends[edge]
            forward = u == node
            self._edge_chain[edge] = chain
            self._edge_offset[edge] = offset
            self._edge_forward[edge] = forward
            offset += self._weights[edge]
            node = v if forward else u
            if self._core[node] >= 0:
                break
            self._node_chain[node], self._node_offset[node] = chain, offset
            first, second = self._incident[node]
            edge = second if edge == first else first
        self._chain_ends.append((self._core[start], self._core[node]))
        self._lengths.append(offset)

    def chains(self) -> _Chains:
        return _Chains(
            core=np.array(self._core, dtype=np.int64),
            node_chain=np.array(self._node_chain, dtype=np.int64),
            node_offset=np.array(self._node_offset, dtype=float),
            edge_chain=np.array(self._edge_chain, dtype=np.int64),
            edge_offset=np.array(self._edge_offset, dtype=float),
            edge_forward=np.array(self._edge_forward, dtype=bool),
            ends=np.array(self._chain_ends, dtype=np.int64).reshape(-1, 2),
            lengths=np.array(self._lengths, dtype=float),
        )
