"""The road graph that all parts of roadex share, and its basic operations.

A road network is an undirected `networkx.MultiGraph`. Nodes have `x` and `y` in metres. Edges
have `geometry`, a float64 array (n >= 2, 2) of x, y in metres whose ends are the two nodes, and
`length` in metres. `graph.graph["crs"]` is None in the image frame (x right, y down; the centre of
pixel (row, col) lies at ((col + 0.5) * gsd, (row + 0.5) * gsd)), else a projected CRS as text.

A road with a true `oneway` leads only the way that its geometry runs; all others lead both ways.

Parallel edges, self-loops and isolated rings (a self-loop at one node) are legal; lines that cross
without a shared node do not connect.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

Step = tuple[Hashable, Hashable, int]
# Attributes that add up when roads are merged, if each of them has it.
SUMMED = ("length", "travel_time_s")
ONE_WAY = "oneway"


def empty_network(crs: str | None = None) -> nx.MultiGraph:
    """A network without roads, in the image frame unless a projected CRS is named."""
    return nx.MultiGraph(crs=crs)


def polyline_length(geometry: ArrayLike) -> float:
    """Planar length of a polyline (n, 2), in the units of its coordinates."""
    steps = np.diff(np.asarray(geometry, dtype=np.float64), axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def add_road(
    graph: nx.MultiGraph,
    u: Hashable,
    v: Hashable,
    geometry: ArrayLike,
    /,
    *,
    edge_key: int | None = None,
    **attributes: Any,
) -> int:
    """Add an edge along `geometry` (n, 2), x, y in metres from u to v; returns its key.

    Nodes that are new take the ends of the geometry as their position. `length` is the planar
    length unless the caller gives one. Attributes may have any name, u, v and key included.
    """
    line = np.ascontiguousarray(geometry, dtype=np.float64)
    for node, (x, y) in ((u, line[0]), (v, line[-1])):
        if node not in graph:
            graph.add_node(node, x=float(x), y=float(y))
    attributes.setdefault("length", polyline_length(line))
    key: int = graph.add_edge(u, v, edge_key)
    graph.edges[u, v, key].update(attributes, geometry=line)
    return key


def add_like(graph: nx.MultiGraph, u: Hashable, v: Hashable, data: Mapping[str, Any]) -> int:
    """Add an edge with the attributes of another, whatever their names; returns its key."""
    key: int = graph.add_edge(u, v)
    graph.edges[u, v, key].update(data)
    return key


def straight_network(
    positions: Mapping[Hashable, tuple[float, float]] | Sequence[tuple[float, float]],
    edges: Iterable[tuple[Hashable, Hashable]],
    crs: str | None = None,
) -> nx.MultiGraph:
    """A network of straight roads between nodes at `positions`, x, y in metres."""
    graph = empty_network(crs)
    items = positions.items() if isinstance(positions, Mapping) else enumerate(positions)
    for node, (x, y) in items:
        graph.add_node(node, x=float(x), y=float(y))
    for u, v in edges:
        add_road(graph, u, v, [position(graph, u), position(graph, v)])
    return graph


def position(graph: nx.MultiGraph, node: Hashable) -> tuple[float, float]:
    """The node's x and y in metres."""
    data = graph.nodes[node]
    return data["x"], data["y"]


def oriented(graph: nx.MultiGraph, u: Hashable, v: Hashable, key: int) -> NDArray[np.float64]:
    """The geometry (n, 2) of an edge as it runs from u to v; a self-loop as it is stored.

    The result may be a view: copy before changing it.
    """
    line: NDArray[np.float64] = graph.edges[u, v, key]["geometry"]
    if u == v:
        return line
    start = position(graph, u)
    return line[::-1] if _gap(line[-1], start) < _gap(line[0], start) else line


def leads(graph: nx.MultiGraph, u: Hashable, v: Hashable, key: int) -> bool:
    """Whether traffic may take an edge from u to v."""
    data = graph.edges[u, v, key]
    return data.get(ONE_WAY) is not True or _runs_from(graph, u, data)


def walked_distances(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance (n) from the first point to each point of a polyline (n, 2), along it."""
    steps = np.diff(line, axis=0)
    return np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])


def total_length(graph: nx.MultiGraph) -> float:
    """The summed length of all roads in metres."""
    return float(sum(length for *_, length in graph.edges(data="length")))


def merge_degree_two(graph: nx.MultiGraph, keep_apart: Collection[str] = ()) -> nx.MultiGraph:
    """A copy in which roads run through, from end or junction to end or junction.

    A road also ends where its traffic does not go on in the same direction.

    A ring whose nodes all have degree 2 becomes a self-loop at the first of them. Lengths add up,
    and so do travel times. Where the parts of a road disagree, a float attribute becomes the mean
    weighted by length and any other attribute is taken from the longest part.

    Args:
        keep_apart: attributes at whose change a road ends.
    """
    merged = nx.MultiGraph(**graph.graph)
    done: set[int] = set()
    anchors = [node for node in graph if not _is_passed_through(graph, node, keep_apart)]
    merged.add_nodes_from((node, graph.nodes[node]) for node in anchors)
    for node in anchors:
        _add_chains(graph, merged, node, done)
    rings = (node for node in graph if node not in merged)
    for node in rings:
        if id(_incident(graph, node)[0][2]) not in done:
            merged.add_node(node, **graph.nodes[node])
            _add_chains(graph, merged, node, done)
    return merged


def merge_node(graph: nx.MultiGraph, node: Hashable) -> Step | None:
    """Replace a node of degree 2 and its two roads by one road, in place.

    Returns:
        The new edge, or None where the node is an end, a junction or on a lone ring.
    """
    if not _is_passed_through(graph, node):
        return None
    (before, first, _), (after, second, _) = _incident(graph, node)
    joined = _joined(graph, [(before, node, first), (node, after, second)])
    graph.remove_node(node)
    return before, after, add_like(graph, before, after, joined)


def _add_chains(
    graph: nx.MultiGraph, merged: nx.MultiGraph, start: Hashable, done: set[int]
) -> None:
    """Add every road that leaves `start`; `done` holds the identities of the edges used up."""
    for neighbour, key, data in _incident(graph, start):
        if id(data) not in done:
            chain = _walk(graph, (start, neighbour, key), merged)
            done.update(id(graph.edges[step]) for step in chain)
            add_like(merged, start, chain[-1][1], _joined(graph, chain))


def _walk(graph: nx.MultiGraph, first: Step, anchors: Collection[Hashable]) -> list[Step]:
    """The steps from the start of `first` to the next end or junction, or round a ring."""
    chain = [first]
    start, node, _ = first
    while node != start and node not in anchors:
        arrived_by = graph.edges[chain[-1]]
        onward = next(item for item in _incident(graph, node) if item[2] is not arrived_by)
        chain.append((node, onward[0], onward[1]))
        node = onward[0]
    return chain


def _joined(graph: nx.MultiGraph, chain: list[Step]) -> dict[str, Any]:
    """The attributes of the one road that replaces a chain of edges."""
    parts = [graph.edges[step] for step in chain]
    lines = [oriented(graph, *step) for step in chain]
    longest = max(parts, key=lambda part: part["length"])
    joined = {name: _mean(parts, name, value) for name, value in longest.items()}
    for name in SUMMED:
        values = [part.get(name) for part in parts]
        joined.pop(name, None)
        if all(isinstance(value, int | float) for value in values):
            joined[name] = sum(value for value in values if value is not None)
    line = np.concatenate([lines[0], *(line[1:] for line in lines[1:])])
    against = joined.get(ONE_WAY) is True and not leads(graph, *chain[0])
    joined["geometry"] = np.ascontiguousarray(line[::-1]) if against else line
    return joined


def _mean(parts: list[dict[str, Any]], name: str, fallback: Any) -> Any:
    """Mean by length of a float attribute that every part has, else `fallback`."""
    values = [part.get(name) for part in parts]
    weights = [part["length"] for part in parts]
    if len(parts) == 1 or sum(weights) <= 0 or not all(type(value) is float for value in values):
        return fallback
    return float(np.average(np.asarray(values, dtype=np.float64), weights=weights))


def _incident(graph: nx.MultiGraph, node: Hashable) -> list[tuple[Hashable, int, dict[str, Any]]]:
    """Neighbour, key and attributes of every edge at `node`."""
    return [
        (neighbour, key, data)
        for neighbour, edges in graph.adj[node].items()
        for key, data in edges.items()
    ]


def _is_passed_through(
    graph: nx.MultiGraph, node: Hashable, keep_apart: Collection[str] = ()
) -> bool:
    """Whether two equal roads meet here, so that it is no end, junction or lone ring."""
    if node in graph.adj[node] or sum(map(len, graph.adj[node].values())) != 2:
        return False
    (_, _, one), (_, _, other) = _incident(graph, node)
    if not _goes_on(graph, node, one, other):
        return False
    return all(one.get(name) == other.get(name) for name in keep_apart)


def _goes_on(
    graph: nx.MultiGraph, node: Hashable, one: dict[str, Any], other: dict[str, Any]
) -> bool:
    """Whether the traffic of one road at a node is that of the other."""
    tagged = [data.get(ONE_WAY) is True for data in (one, other)]
    if not all(tagged):
        return not any(tagged)
    return _runs_from(graph, node, one) != _runs_from(graph, node, other)


def _runs_from(graph: nx.MultiGraph, node: Hashable, data: dict[str, Any]) -> bool:
    """Whether the geometry of a road at a node begins there; a loop's does."""
    line, place = data["geometry"], position(graph, node)
    return _gap(line[0], place) <= _gap(line[-1], place)


def _gap(point: NDArray[np.float64], target: tuple[float, float]) -> float:
    """Squared distance between two points."""
    return float((point[0] - target[0]) ** 2 + (point[1] - target[1]) ** 2)
