"""GraphML, as networkx writes and reads it, with geometries as WKT."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.graph.formats.edges import Edge, network_from_edges
from roadex.graph.formats.exact import extras, read_name, write_name
from roadex.graph.formats.options import ReadOptions, read_text
from roadex.graph.formats.settled import in_metres
from roadex.graph.network import add_road

_NAME = "name_json"  # on nodes of ours, whose names need not be text


def read_graphml(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from GraphML whose nodes have x and y, in metres or in the system of its `crs`.

    Raises:
        RoadexError: the file is no GraphML, or a node has no position.
    """
    read_text(path)
    try:
        content = nx.read_graphml(path, force_multigraph=True)
    except (nx.NetworkXError, ParseError, LookupError, ValueError, TypeError) as error:
        raise RoadexError(f"{path} is not GraphML ({error}): is it cut short?") from error
    try:
        if content.graph.get("written_by") == "roadex":
            return in_metres(_own_network(content))
        nodes = {n: (float(d["x"]), float(d["y"])) for n, d in content.nodes(data=True)}
        edges = [_edge(u, v, data) for u, v, data in content.edges(data=True)]
    except (KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise RoadexError(f"{path}: nodes need x and y, roads WKT lines ({error!r})") from error
    crs = content.graph.get("crs")
    return network_from_edges(path, nodes, edges, str(crs) if crs else None)


def _edge(u: str, v: str, data: dict[str, Any]) -> Edge:
    stale = ("geometry", "length", "id", "u", "v", "key")
    known = {k: value for k, value in data.items() if k not in stale}
    line = (
        shapely.get_coordinates(shapely.from_wkt(data["geometry"])) if "geometry" in data else None
    )
    return u, v, line, known


def _own_network(content: nx.MultiGraph) -> nx.MultiGraph:
    attributes = json.loads(content.graph["attributes"])
    graph = nx.MultiGraph(**attributes)
    names = {n: read_name(json.loads(d.pop(_NAME))) for n, d in content.nodes(data=True)}
    for node, data in content.nodes(data=True):
        place = {"x": float(data["x"]), "y": float(data["y"])}
        graph.add_node(names[node], **{**data, **place})
    for u, v, key, data in content.edges(keys=True, data=True):
        data.pop("id", None)
        if "length" in data:
            data["length"] = float(data["length"])  # text where the file has lost its type
        line = shapely.get_coordinates(shapely.from_wkt(data.pop("geometry")))
        add_road(graph, names[u], names[v], line, edge_key=key, **data)
    return graph


def write_graphml(graph: nx.MultiGraph, path: Path) -> None:
    """Write a network so that networkx reads back the same nodes, keys and lengths.

    GraphML has neither lists nor null: lists become JSON text, and attributes that are None
    are left out.
    """
    attributes = json.dumps({**extras(graph.graph), "crs": graph.graph.get("crs")})
    copy = nx.MultiGraph(written_by="roadex", attributes=attributes)
    if graph.graph.get("crs"):
        copy.graph["crs"] = graph.graph["crs"]
    names = {node: str(node) for node in graph}
    if len(set(names.values())) < len(names):
        names = {node: json.dumps(write_name(node)) for node in graph}
    for node, data in graph.nodes(data=True):
        name = json.dumps(write_name(node))
        own = {"x": float(data["x"]), "y": float(data["y"]), _NAME: name}
        copy.add_node(names[node], **_scalars(data), **own)
    for u, v, key, data in graph.edges(keys=True, data=True):
        own = {"length": float(data["length"]), "geometry": _wkt(data["geometry"])}
        copy.add_edge(names[u], names[v], key)
        copy.edges[names[u], names[v], key].update({**_scalars(data), **own})
    with atomic_write(path) as temporary:
        nx.write_graphml(copy, temporary)


def _scalars(data: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in extras(data).items() if v is not None}
    return {k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in kept.items()}


def _wkt(line: NDArray[np.float64]) -> str:
    return "LINESTRING (" + ", ".join(f"{x!r} {y!r}" for x, y in line.tolist()) + ")"
