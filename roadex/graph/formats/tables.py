"""Tables of roads for large networks: GeoParquet and FlatGeobuf, which are read by area.

Both hold only the roads, with the names of their nodes; roads with common ends meet.
GeoParquet (version 1.1) has the bounding box of each road in columns and is sorted by place,
FlatGeobuf has an index, so that a reader fetches only what it needs, also over the internet.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import shapely

from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.files import atomic_write
from roadex.graph.formats.exact import BOOKKEEPING
from roadex.graph.formats.geopackage import (
    column_kinds,
    load_geopandas,
    network_of_table,
    readable_table,
    road_rows,
    table_of_roads,
)
from roadex.graph.formats.options import ReadOptions
from roadex.graph.formats.osm_files import as_tags, is_overture
from roadex.graph.road_table import RoadTable

_ROWS_AT_ONCE = 20_000


def write_parquet(network: nx.MultiGraph | RoadTable, path: Path) -> None:
    """Write the roads of a network in its own CRS as GeoParquet.

    Raises:
        RoadexError: the extra `geo` or `parquet` is missing, or the file cannot be written.
    """
    require_pyarrow()
    table = _table(network)
    if len(table):
        table = table.iloc[np.argsort(table.geometry.hilbert_distance(), kind="stable")]
    with atomic_write(path) as temporary:
        table.to_parquet(
            temporary,
            index=False,
            compression="zstd",
            write_covering_bbox=True,
            schema_version="1.1.0",
            row_group_size=_ROWS_AT_ONCE,
        )


def read_parquet(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from the lines of a GeoParquet file, Overture's segments among them.

    Raises:
        RoadexError: the extra `geo` or `parquet` is missing, or the file is no such thing.
    """
    require_pyarrow()
    with readable_table(path, "GeoParquet"):
        table = load_geopandas().read_parquet(path)
    left_out: Counter[str] = Counter()
    if is_overture(table.columns):
        table, left_out = as_tags(table)
    graph = network_of_table(path, table.drop(columns="bbox", errors="ignore"), options)
    graph.graph["dropped"] = dict(Counter(graph.graph.get("dropped", {})) + left_out)
    return graph


def write_flatgeobuf(network: nx.MultiGraph | RoadTable, path: Path) -> None:
    """Write the roads of a network in its own CRS as FlatGeobuf.

    Raises:
        RoadexError: the extra `geo` is missing, or the file cannot be written.
    """
    table = _table(network)
    with atomic_write(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        named = {"layer": path.stem, "geometry_type": "LineString"}
        table.to_file(temporary, driver="FlatGeobuf", **named)


def read_table(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from the lines of a FlatGeobuf file or a Shapefile.

    Raises:
        RoadexError: the extra `geo` is missing, or the file is no such thing.
    """
    with readable_table(path, "table of lines"):
        table = load_geopandas().read_file(path)
    return network_of_table(path, table, options)


def _table(network: nx.MultiGraph | RoadTable) -> Any:
    """The roads as a table of lines."""
    if isinstance(network, RoadTable):
        return table_of_roads(network).drop(columns="shape")
    graph = network
    rows = [{k: v for k, v in row.items() if k != "shape"} for row in road_rows(graph)]
    lines = [shapely.linestrings(line) for *_, line in graph.edges(data="geometry")]
    empty = {name: np.zeros(0) for name in BOOKKEEPING if name != "shape"}
    content: Any = rows or empty
    table = load_geopandas().GeoDataFrame(content, geometry=lines, crs=graph.graph.get("crs"))
    return table.astype(column_kinds(rows))


def require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise RoadexError(f"GeoParquet needs pyarrow: {install_line('parquet')}") from error
