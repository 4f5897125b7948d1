"""Dual carriageways as one road, and clusters of junctions as one, by the library neatnet.

neatnet replaces the narrow faces between roads by their middle lines, for maps on which a road is
to be one line. Roundabouts become junctions, too.
"""

from __future__ import annotations

import warnings
from typing import Any

import networkx as nx
import numpy as np
import shapely

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.graph.formats.geopackage import load_geopandas, records
from roadex.graph.formats.lines import OWN_NAMES, SHARED, network_from_lines
from roadex.graph.network import ONE_WAY
from roadex.graph.road_table import RoadTable

# How far the middle line of two roads may lie from them.
_BESIDE_M = 15.0
# Which faces are narrow is told by the distribution of their shapes, if there are enough of them.
_FEWEST_FACES, _FEW_FACES, _NARROW = 3, 30, 7.0
_STATUS, _UNTOUCHED, _NEW = "_status", "original", "new"


def require_neatnet() -> Any:
    """The package neatnet.

    Raises:
        RoadexError: it is not installed.
    """
    try:
        import neatnet
    except ImportError as error:
        raise RoadexError(f"tidy=true needs neatnet: {install_line('tidy')}") from error
    return neatnet


def tidied(network: nx.MultiGraph | RoadTable) -> nx.MultiGraph:
    """A network in metres in which dual carriageways and clusters of junctions are single.

    New lines have the attributes of the road that they follow longest. A line that has changed
    leads both ways and has no travel time. A network with fewer than three faces stays as it is.

    Raises:
        RoadexError: neatnet is not installed, or fails on this network.
    """
    neatnet = require_neatnet()
    graph = network.graph() if isinstance(network, RoadTable) else network
    before = _table(graph) if graph.number_of_edges() else None
    faces = 0 if before is None else len(shapely.polygonize(list(before.geometry)).geoms)
    if faces < _FEWEST_FACES:
        return graph
    few = faces < _FEW_FACES
    threshold = _NARROW if few else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            after = neatnet.neatify(
                before, min_dangle_length=0, artifact_threshold=threshold, n_loops=1 if few else 2
            )
    except Exception as error:  # of a library for maps that people drew
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise RoadexError(f"neatnet cannot tidy this network ({reason}): set tidy=false") from error
    lines = [
        (shapely.get_coordinates(part), attributes)
        for shape, attributes in zip(after.geometry, _attributes(before, after), strict=True)
        for part in shapely.get_parts(shape)
    ]
    return network_from_lines(lines, graph.graph.get("crs"))


def _table(graph: nx.MultiGraph) -> Any:
    """The roads as a table of lines; neatnet wants some system, whose metres these are."""
    rows = [
        {k: v for k, v in data.items() if k not in OWN_NAMES} for *_, data in graph.edges(data=True)
    ]
    shapes = [shapely.LineString(line) for *_, line in graph.edges(data="geometry")]
    crs = graph.graph.get("crs") or "EPSG:3857"
    return load_geopandas().GeoDataFrame(rows, geometry=shapes, crs=crs)


def _attributes(before: Any, after: Any) -> list[dict[str, Any]]:
    """The attributes of each line of a tidied table."""
    tree, known = shapely.STRtree(before.geometry.to_numpy()), records(before)
    found = []
    for shape, row in zip(after.geometry, records(after), strict=True):
        status = row.pop(_STATUS, _UNTOUCHED)
        if status == _NEW:
            row = known[_followed(shape, tree)]
        if status != _UNTOUCHED:
            row = {name: v for name, v in row.items() if name not in (ONE_WAY, SHARED)}
        found.append(row)
    return found


def _followed(line: Any, tree: shapely.STRtree) -> int:
    """The number of the road that runs along a line for the longest way, else of the nearest."""
    around = shapely.buffer(line, _BESIDE_M)
    near = tree.query(around)
    if not len(near):
        return int(tree.nearest(line))
    shared = shapely.length(shapely.intersection(tree.geometries[near], around))
    return int(near[int(np.argmax(shared))])
