"""The simple JSON: nodes [x, y] in metres, edges [i, j] or {"u", "v", "geometry"}."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.graph.formats.edges import Edge, network_from_edges
from roadex.graph.formats.geojson import network_from_geojson
from roadex.graph.formats.options import ReadOptions, read_object
from roadex.graph.network import oriented


def read_any_json(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from a `.json` file, which may also hold GeoJSON.

    Raises:
        RoadexError: the file holds neither.
    """
    content = read_object(path)
    if "type" in content:
        return network_from_geojson(path, content, options)
    if not isinstance(content.get("nodes"), list) or not isinstance(content.get("edges"), list):
        raise RoadexError(f"{path} is neither GeoJSON nor lists of `nodes` and `edges`")
    if content.get("units", "m") not in ("m", "metre", "metres", "meter", "meters"):
        raise RoadexError(
            f"{path}: units {content['units']!r}: coordinates are metres, or those of its `crs`"
        )
    try:
        nodes = {i: (_number(x), _number(y)) for i, (x, y) in enumerate(content["nodes"])}
        edges = [_edge(item) for item in content["edges"]]
    except (KeyError, TypeError, ValueError) as error:
        raise RoadexError(f"{path}: a node or edge is malformed ({error!r})") from error
    crs = content.get("crs")
    return network_from_edges(path, nodes, edges, str(crs) if crs else None)


def _edge(item: Any) -> Edge:
    if isinstance(item, dict):
        known = ("u", "v", "geometry", "length")
        attributes = {name: value for name, value in item.items() if name not in known}
        geometry = item.get("geometry")
        line = None if geometry is None else np.array(geometry, dtype=np.float64).reshape(-1, 2)
        return int(item["u"]), int(item["v"]), line, attributes
    u, v = item
    return int(u), int(v), None, {}


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def write_simple_json(graph: nx.MultiGraph, path: Path) -> None:
    """Write a network; nodes are numbered in order, and only shapes are kept."""
    number = {node: i for i, node in enumerate(graph)}
    content = {
        "units": "m",
        "crs": graph.graph.get("crs"),
        "nodes": [[data["x"], data["y"]] for _, data in graph.nodes(data=True)],
        "edges": [
            {"u": number[u], "v": number[v], "geometry": oriented(graph, u, v, key).tolist()}
            for u, v, key in graph.edges(keys=True)
        ],
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")
