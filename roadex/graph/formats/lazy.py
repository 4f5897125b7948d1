"""Networks in files of any size, of which only the roads of an area are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import shapely

from roadex.errors import RoadexError
from roadex.geo.crs import is_metric, parse_crs, short_name
from roadex.graph.formats.exact import own_network, read_name
from roadex.graph.formats.geojson import read_geojson
from roadex.graph.formats.geopackage import (
    layer_of_roads,
    load_geopandas,
    network_of_table,
    readable_table,
    records,
)
from roadex.graph.formats.options import ReadOptions
from roadex.graph.formats.settled import settled
from roadex.graph.formats.tables import require_pyarrow
from roadex.graph.network import empty_network

Box = tuple[float, float, float, float]
_PARQUET, _GEOJSON = ".parquet", ".geojson"
_KINDS = {
    ".gpkg": "GeoPackage",
    ".fgb": "FlatGeobuf",
    _GEOJSON: "GeoJSON",
    _PARQUET: "GeoParquet",
}


@dataclass(frozen=True)
class NetworkFile:
    """A file of roads that has been opened, of which no road has been read.

    Attributes:
        path: the file.
        layer: of roads; None where the format has no layers.
        crs: the coordinate system of the file; None: pixels or metres of an image.
        bounds: left, bottom, right and top of all roads in that system; None where there is none.
        roads: their number.
    """

    path: Path
    layer: str | None
    crs: str | None
    bounds: Box | None
    roads: int

    def __len__(self) -> int:
        """The number of roads in the file."""
        return self.roads

    def within(self, box: Box, crs: str | None = None) -> nx.MultiGraph:
        """The roads that touch a box, each of them whole, in metres as `read_network` gives them.

        GeoPackage, FlatGeobuf and GeoParquet are indexed: only the roads there are read. In tables
        that roadex wrote the nodes keep their names, so that parts fit together.

        Args:
            box: left, bottom, right and top, in the file's system.
            crs: the system of the box, such as "EPSG:4326"; None: that of the file.

        Raises:
            RoadexError: no such box or system, or the file is damaged.
        """
        return self._network(self._own_box(box, crs))

    def read(self) -> nx.MultiGraph:
        """All roads.

        Raises:
            RoadexError: the file is damaged.
        """
        if self.path.suffix.lower() == _GEOJSON:
            return settled(read_geojson(self.path, ReadOptions()), self.path, None)
        return self._network(None)

    def _own_box(self, box: Box, crs: str | None) -> Box:
        left, bottom, right, top = (float(value) for value in box)
        if not (left <= right and bottom <= top and np.isfinite(box).all()):
            raise RoadexError(f"within({box}): give left, bottom, right and top, in that order")
        if crs is None or crs == self.crs:
            return left, bottom, right, top
        if self.crs is None:
            raise RoadexError(f"{self.path} has no coordinate system, so the box can be in none")
        from pyproj import Transformer

        change = Transformer.from_crs(parse_crs(crs), parse_crs(self.crs), always_xy=True)
        found = change.transform_bounds(left, bottom, right, top)
        if not np.isfinite(found).all():
            raise RoadexError(f"within({box}): it does not lie in {self.crs}, that of {self.path}")
        return found

    def _network(self, box: Box | None) -> nx.MultiGraph:
        with readable_table(self.path, _KINDS[self.path.suffix.lower()]):
            table = self._table(box)
        if box is not None:
            table = table[table.geometry.intersects(shapely.box(*box))]
        found = _with_its_names(table)
        if found is None:
            found = network_of_table(self.path, table, ReadOptions())
        return settled(found, self.path, None)

    def _table(self, box: Box | None) -> Any:
        geopandas = load_geopandas()
        if self.path.suffix.lower() != _PARQUET:
            layer = {} if self.layer is None else {"layer": self.layer}
            return geopandas.read_file(self.path, bbox=box, **layer)
        try:
            table = geopandas.read_parquet(self.path, bbox=box)
        except ValueError:  # no boxes in it: read as a whole
            table = geopandas.read_parquet(self.path)
        return table.drop(columns="bbox", errors="ignore")


def open_network(path: str | Path) -> NetworkFile:
    """A file of roads, of which areas can be read: `open_network("city.gpkg").within(box)`.

    Args:
        path: a GeoPackage, GeoParquet, FlatGeobuf or GeoJSON file (the last is searched as a
            whole).

    Raises:
        RoadexError: no such file, another format, no layer of roads, or a missing extra.
    """
    source = Path(path)
    suffix = source.suffix.lower()
    if suffix not in _KINDS:
        raise RoadexError(
            f"{path}: networks can be opened in {', '.join(_KINDS)}; see read_network"
        )
    if not source.is_file():
        raise RoadexError(f"{path}: no such file")
    read: Callable[[Path], NetworkFile] = _opened_parquet if suffix == _PARQUET else _opened
    load_geopandas()
    with readable_table(source, _KINDS[suffix]):
        return read(source)


def _opened(path: Path) -> NetworkFile:
    import pyogrio

    layers = dict(pyogrio.list_layers(path).tolist())
    layer = layer_of_roads(path, layers)
    info = pyogrio.read_info(path, layer=layer, force_feature_count=True, force_total_bounds=True)
    crs = None if info["crs"] is None else short_name(parse_crs(info["crs"]))
    return NetworkFile(path, layer, crs, _box(info["total_bounds"]), int(info["features"]))


def _opened_parquet(path: Path) -> NetworkFile:
    require_pyarrow()
    from pyarrow.parquet import read_metadata
    from pyproj import CRS

    content = read_metadata(path)
    metadata = json.loads((content.metadata or {})[b"geo"])
    column = metadata["columns"][metadata["primary_column"]]
    # The standard: without the member degrees, with a null not known.
    crs = column.get("crs", "OGC:CRS84")
    name = None if crs is None else short_name(CRS.from_user_input(crs))
    return NetworkFile(path, None, name, _box(column.get("bbox")), content.num_rows)


def _box(values: Any) -> Box | None:
    if values is None or not np.isfinite(np.array(values, dtype=np.float64)).all():
        return None
    left, bottom, right, top = (float(value) for value in values)
    return left, bottom, right, top


def _with_its_names(table: Any) -> nx.MultiGraph | None:
    """A part of a table of roadex with the names of its nodes; None if it is another table."""
    if not {"u", "v", "key", "length_m"} <= set(table) or not len(table):
        return None
    if table.crs is not None and not is_metric(table.crs):
        return None
    graph = empty_network(None if table.crs is None else short_name(table.crs))
    lines = [shapely.get_coordinates(shape) for shape in table.geometry]
    rows = records(table)
    try:
        for line, row in zip(lines, rows, strict=True):
            for name, (x, y) in zip((row["u"], row["v"]), line[[0, -1]].tolist(), strict=True):
                graph.add_node(_name(name), x=x, y=y)
    except (KeyError, IndexError, ValueError, TypeError):
        return None
    return own_network(graph, zip(lines, lines, rows, strict=True), _name)


def _name(text: Any) -> Any:
    return read_name(json.loads(text) if isinstance(text, str) else text)
