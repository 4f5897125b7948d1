"""The columns from which a file of roadex restores the same network: names, keys, attributes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import networkx as nx
import numpy as np

from roadex.graph.formats.lines import Line
from roadex.graph.formats.options import plain
from roadex.graph.formats.settled import PIXEL_M
from roadex.graph.network import add_road, oriented, polyline_length, position
from roadex.graph.skeleton import Floats

_WORKING_ATTRIBUTES = ("x", "y", "geometry", "length")
# The columns of a road from which a file of roadex restores the same network.
BOOKKEEPING = ("u", "v", "key", "length_m", "shape")
# A line as it is written, the same in the network's system, and its columns.
OwnRoad = tuple[Floats, Floats, dict[str, Any]]
# The largest change by writing in degrees, in metres.
_SAME_PLACE_M = 0.05
# How much a length may differ from its line's in files that hold no checksum of the line.
_SAME_LENGTH = 0.02


def write_name(node: Hashable) -> Any:
    """A node's name as JSON holds it: tuples become lists, and what JSON lacks becomes text."""
    return [write_name(part) for part in node] if isinstance(node, tuple) else plain(node)


def read_name(name: Any) -> Hashable:
    """The inverse of `write_name`."""
    return tuple(read_name(part) for part in name) if isinstance(name, list) else name


def extras(data: dict[str, Any]) -> dict[str, Any]:
    """The further attributes of a node or a road, as JSON values."""
    return {k: plain(v) for k, v in data.items() if k not in _WORKING_ATTRIBUTES}


def shape_of(line: Floats) -> str:
    """A checksum of a line as it is written, which shows whether its columns belong to it."""
    return f"{zlib.crc32(np.ascontiguousarray(np.round(line, 9) + 0.0).tobytes()):08x}"


def directed_ends(
    graph: nx.MultiGraph, u: Hashable, v: Hashable, key: int
) -> tuple[Hashable, Hashable]:
    """The two nodes of a road as its line leads from one to the other."""
    follows = oriented(graph, u, v, key) is graph.edges[u, v, key]["geometry"]
    return (u, v) if follows else (v, u)


def road_extras(data: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a road; names of our own columns get an underscore."""
    return {f"{k}_" if k in BOOKKEEPING else k: v for k, v in extras(data).items()}


def without_bookkeeping(lines: Iterable[Line]) -> list[Line]:
    """Lines of an edited file of roadex, without columns that may be wrong now."""
    stale = (*BOOKKEEPING, "id")
    return [
        (line, {name: value for name, value in traits.items() if name not in stale})
        for line, traits in lines
    ]


def own_network(
    graph: nx.MultiGraph, roads: Iterable[OwnRoad], name_of: Callable[[Any], Hashable]
) -> nx.MultiGraph | None:
    """Add roads to a graph of their nodes, by their columns, where these agree with the lines.

    Returns:
        The network; None where a road was moved, split, clipped or added since it was written.
    """
    for written, line, traits in roads:
        if traits.get("shape", shape_of(written)) != shape_of(written):
            return None
        try:
            u, v = name_of(traits["u"]), name_of(traits["v"])
            key, length = int(traits["key"]), float(traits["length_m"])
            ends = position(graph, u), position(graph, v)
        except (KeyError, TypeError, ValueError):
            return None
        tied = _tied(line, *ends)
        if tied is None or graph.has_edge(u, v, key):
            return None
        measured = polyline_length(tied * np.array(graph.graph.get(PIXEL_M, 1.0)))
        off = abs(measured - length) > _SAME_LENGTH * length + _SAME_PLACE_M
        if off and "shape" not in traits:
            return None
        others = {name: value for name, value in traits.items() if name not in BOOKKEEPING}
        add_road(graph, u, v, tied, edge_key=key, **{**others, "length": length})
    return graph


def _tied(line: Floats, start: tuple[float, float], end: tuple[float, float]) -> Floats | None:
    """The line with its ends exactly at two nodes, in either direction; else None."""
    if len(line) < 2 or not np.isfinite(line).all():
        return None
    for first, last in ((start, end), (end, start)):
        gaps = np.hypot(*(line[0] - first)), np.hypot(*(line[-1] - last))
        if max(gaps) <= _SAME_PLACE_M:
            tied = np.array(line)
            tied[0], tied[-1] = first, last
            return tied
    return None
