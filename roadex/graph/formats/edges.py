"""A network from a list of nodes and a list of edges, as graph files hold it.

Nodes are what the file says they are, two at one place included. What cannot be a road is counted
in `graph.graph["dropped"]`: nodes without finite coordinates, with their edges; edges whose
geometry has such coordinates; edges that run along an earlier one, and edges of no length. The two
nodes of an edge of no length become one, so that connected roads stay connected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from networkx.utils import UnionFind

from roadex.errors import RoadexError
from roadex.graph.attributes import directed
from roadex.graph.network import add_road, empty_network
from roadex.graph.skeleton import Floats

Edge = tuple[Hashable, Hashable, Floats | None, dict[str, Any]]
_Road = tuple[Hashable, Hashable, Floats, dict[str, Any]]
_SAME_PLACE_M = 0.01


def network_from_edges(
    path: Path,
    nodes: Mapping[Any, tuple[float, float]],
    edges: Iterable[Edge],
    crs: str | None = None,
) -> nx.MultiGraph:
    """Build a network from nodes at x, y in metres and edges (u, v, geometry or None, attributes).

    Raises:
        RoadexError: an edge names a node that does not exist.
    """
    dropped: Counter[str] = Counter()
    sound = {node: xy for node, xy in nodes.items() if np.isfinite(xy).all()}
    dropped["node without finite coordinates"] = len(nodes) - len(sound)
    roads: list[_Road] = []
    same = UnionFind(sound)
    for u, v, geometry, attributes in edges:
        _check_nodes(path, nodes, u, v)
        reason, line = _road(sound, u, v, geometry)
        if reason:
            dropped[reason] += 1
        else:
            roads.append((u, v, line, attributes))
        if reason == "edge of no length":
            same.union(u, v)
    roads = _once(roads, dropped)
    graph = empty_network(crs)
    for node in sound:
        if same[node] == node:
            graph.add_node(node, x=float(sound[node][0]), y=float(sound[node][1]))
    for u, v, line, attributes in roads:
        drawn, known = directed(line, attributes, dropped)
        ends = (v, u) if drawn is not line else (u, v)
        add_road(graph, same[ends[0]], same[ends[1]], drawn, **known)
    graph.graph["dropped"] = {reason: count for reason, count in dropped.items() if count}
    return graph


def _once(roads: list[_Road], dropped: Counter[str]) -> list[_Road]:
    """Roads without those that run along an earlier one, as files of both directions have them."""
    seen: dict[tuple[frozenset[Hashable], bytes], tuple[int, bool]] = {}
    kept: list[_Road] = []
    for road in roads:
        line = np.round(road[2], 6) + 0.0
        turned = line[::-1]
        shape = min(line.tobytes(), turned.tobytes())
        code, is_turned = (frozenset(road[:2]), shape), shape != line.tobytes()
        if code in seen:
            dropped["edge drawn twice"] += 1
            number, was_turned = seen[code]
            if is_turned != was_turned:  # one for each direction
                kept[number][3].pop("oneway", None)
        else:
            seen[code] = len(kept), is_turned
            kept.append((*road[:3], dict(road[3])))
    return kept


def _check_nodes(path: Path, nodes: Mapping[Hashable, Any], u: Hashable, v: Hashable) -> None:
    for node in (u, v):
        if node not in nodes:
            raise RoadexError(f"{path}: an edge leads to node {node!r}, which the file lacks")


def _road(
    nodes: Mapping[Any, tuple[float, float]],
    u: Hashable,
    v: Hashable,
    geometry: Floats | None,
) -> tuple[str, Floats]:
    """The line of an edge from u to v, or the reason why there is none."""
    if u not in nodes or v not in nodes:
        return "edge without finite coordinates", np.zeros((0, 2))
    ends = np.array([nodes[u], nodes[v]], dtype=np.float64)
    if geometry is None:
        return ("", ends) if nodes[u] != nodes[v] else ("edge of no length", ends)
    line = np.asarray(geometry, dtype=np.float64)
    if not np.isfinite(line).all():
        return "edge without finite coordinates", line
    line = _tied(line, ends)
    return ("", line) if (np.diff(line, axis=0) != 0).any() else ("edge of no length", line)


def _tied(line: Floats, ends: Floats) -> Floats:
    """The line from the first end to the second, reversed, moved or extended if necessary."""
    if np.hypot(*(line[0] - ends[0])) > np.hypot(*(line[-1] - ends[0])):
        line = line[::-1]
    line = np.array(line)
    for i, end in ((0, ends[0]), (-1, ends[1])):
        if np.hypot(*(line[i] - end)) <= _SAME_PLACE_M and len(line) > 1:
            line[i] = end
        else:
            line = np.vstack([end, line] if i == 0 else [line, end])
    return line
