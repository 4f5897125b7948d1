"""A road network as flat arrays, in a tenth of the memory of a networkx graph."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from roadex.graph.skeleton import Bools, Floats, Ints

# Of roads made block by block.
ATTRIBUTES = ("width_m", "mean_probability", "bridged")
# Attributes that are whole numbers, and known for all roads or for none.
WHOLE = ("lanes",)


@dataclass(frozen=True)
class RoadTable:
    """Roads in metres of the frame of an image, or of a coordinate system.

    Attributes:
        names: (n,) of the nodes, whole numbers where roadex named them.
        places: (n, 2) x, y of the nodes.
        ends: (m, 2) the numbers in `names` of the first and last node of each road.
        points: (k, 2) x, y, road after road.
        offsets: (m + 1,) where each road begins.
        lengths: (m,) on the ground.
        values: (m, a) of the attributes, NaN where there is none.
        attributes: their names.
        words: what the numbers of some attributes mean.
        crs: the coordinate system; None: the frame of an image.
    """

    names: NDArray[Any]
    places: Floats
    ends: Ints
    points: Floats
    offsets: Ints
    lengths: Floats
    values: Floats
    attributes: tuple[str, ...]
    crs: str | None = None
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        """The number of roads."""
        return len(self.ends)

    def line(self, road: int) -> Floats:
        """The points (n, 2) of a road."""
        line: Floats = self.points[self.offsets[road] : self.offsets[road + 1]]
        return line

    def value(self, name: str) -> Floats:
        """An attribute (m,) of all roads."""
        values: Floats = self.values[:, self.attributes.index(name)]
        return values

    def column(self, name: str, part: slice = slice(None)) -> NDArray[Any]:
        """An attribute of some roads for a table of words and numbers."""
        values = self.values[part, self.attributes.index(name)]
        if name in self.words:
            return np.array(self.words[name], dtype=object)[values.astype(np.int64)]
        return values.astype(np.int64) if name in WHOLE else values

    def _plain(self, name: str, value: float) -> Any:
        if name in self.words:
            return self.words[name][int(value)]
        return int(value) if name in WHOLE else value

    def degrees(self) -> Ints:
        """The number of roads that end at each node (n,)."""
        degrees: Ints = np.bincount(self.ends.ravel(), minlength=len(self.names)).astype(np.int64)
        return degrees

    def components(self) -> tuple[int, Ints]:
        """The number of connected parts, and the part (n,) of each node."""
        size = len(self.names)
        ones = np.ones(len(self), np.int8)
        links = csr_array((ones, (self.ends[:, 0], self.ends[:, 1])), shape=(size, size))
        count, parts = connected_components(links, directed=False)
        return int(count), parts.astype(np.int64)

    @cached_property
    def keys(self) -> Ints:
        """For each road the number of earlier ones between the same two nodes."""
        ends = np.sort(self.ends, axis=1)
        order = np.lexsort((np.arange(len(ends)), ends[:, 1], ends[:, 0]))
        sorted_ends = ends[order]
        new = np.concatenate([[True], (np.diff(sorted_ends, axis=0) != 0).any(axis=1)])
        first = np.flatnonzero(new)[np.cumsum(new) - 1] if len(ends) else order
        keys = np.empty(len(ends), np.int64)
        keys[order] = np.arange(len(ends)) - first
        return keys

    def kept(self, nodes: Bools) -> RoadTable:
        """The part of the network at some of its nodes; a road needs both of its ends."""
        roads = nodes[self.ends].all(axis=1)
        number = np.cumsum(nodes) - 1
        counts = np.diff(self.offsets)
        return replace(
            self,
            names=self.names[nodes],
            places=self.places[nodes],
            ends=number[self.ends[roads]],
            points=self.points[np.repeat(roads, counts)],
            offsets=np.concatenate([[0], np.cumsum(counts[roads])]),
            lengths=self.lengths[roads],
            values=self.values[roads],
        )

    def ordered(self, roads: Ints) -> RoadTable:
        """The same with its roads (m,) in another order."""
        counts = np.diff(self.offsets)[roads]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        first = np.repeat(self.offsets[:-1][roads] - offsets[:-1], counts)
        return replace(
            self,
            ends=self.ends[roads],
            points=self.points[first + np.arange(offsets[-1])],
            offsets=offsets,
            lengths=self.lengths[roads],
            values=self.values[roads],
        )

    def graph(self) -> nx.MultiGraph:
        """The same as a graph of networkx, nodes and roads in the order of the table."""
        result = nx.MultiGraph(crs=self.crs)
        names = self.names.tolist()
        for name, (x, y) in zip(names, self.places.tolist(), strict=True):
            result.add_node(name, x=x, y=y)
        bounds, lengths = self.offsets.tolist(), self.lengths.tolist()
        for i, (u, v) in enumerate(self.ends.tolist()):
            values = zip(self.attributes, self.values[i].tolist(), strict=True)
            data = {name: self._plain(name, value) for name, value in values if value == value}
            key = result.add_edge(names[u], names[v])
            line = self.points[bounds[i] : bounds[i + 1]]
            result.edges[names[u], names[v], key].update(
                data, length=lengths[i], geometry=np.ascontiguousarray(line)
            )
        return result


def table_of(graph: nx.MultiGraph, attributes: tuple[str, ...] = ATTRIBUTES) -> RoadTable:
    """A graph of networkx as a table, in the order of its nodes and roads."""
    number = {node: index for index, node in enumerate(graph)}
    roads = list(graph.edges(data=True))
    lines = [data["geometry"] for *_, data in roads]
    names = np.empty(len(number), dtype=object)
    names[:] = list(number)
    values = [[float(data.get(name, np.nan)) for name in attributes] for *_, data in roads]
    places = [(data["x"], data["y"]) for _, data in graph.nodes(data=True)]
    return RoadTable(
        names,
        np.array(places, dtype=np.float64).reshape(-1, 2),
        np.array([(number[u], number[v]) for u, v, _ in roads], dtype=np.int64).reshape(-1, 2),
        np.concatenate(lines) if lines else np.zeros((0, 2)),
        np.concatenate([[0], np.cumsum([len(line) for line in lines], dtype=np.int64)]),
        np.array([data["length"] for *_, data in roads], dtype=np.float64),
        np.array(values, dtype=np.float64).reshape(-1, len(attributes)),
        attributes,
        graph.graph.get("crs"),
    )
