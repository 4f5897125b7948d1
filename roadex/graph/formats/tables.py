"""Tables of roads: GeoParquet and FlatGeobuf, which are read by area, and Shapefiles.

They hold only the roads, with the names of their nodes; roads with common ends meet.
GeoParquet (version 1.1) has the bounding box of each road in columns and is sorted by place,
FlatGeobuf has an index, so that a reader fetches only what it needs, also over the internet.
Shapefiles have names of at most ten letters and no columns of true and false.
"""

from __future__ import annotations

import shutil
import warnings
import zipfile
from collections import Counter
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
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
    if path.suffix.lower() == ".shp":
        table = with_long_names(table)
    return network_of_table(path, table, options)


ZIPPED = ".shp.zip"
# Longer names of ours as a Shapefile has them.
SHORT_NAMES = {
    "mean_probability": "mean_prob",
    "travel_time_s": "time_s",
    "highway_confidence": "class_conf",
    "lanes_confidence": "lanes_conf",
    "surface_confidence": "surf_conf",
    "speed_confidence": "speed_conf",
}
_LONGEST_NAME = 10
# The files of a Shapefile, without an index that others made; none may be larger than 2 GB.
_PARTS = (".shx", ".dbf", ".prj", ".cpg", ".shp")
_LARGEST_PART = 1 << 31


def write_shapefile(network: nx.MultiGraph | RoadTable, path: Path) -> None:
    """Write the roads of a network in its own CRS as a Shapefile, zipped for NAME.shp.zip.

    True and false become 1 and 0; names longer than ten letters are those of `SHORT_NAMES`, or cut.

    Raises:
        RoadexError: the extra `geo` is missing, or the file cannot be written.
    """
    table = _table(network)
    logical = [name for name in table if str(table[name].dtype) in ("bool", "boolean")]
    table = table.astype(dict.fromkeys(logical, "Int64"))
    table = table.rename(columns=_short_names([name for name in table if name != "geometry"]))
    is_zipped = path.name.lower().endswith(ZIPPED)
    stem = path.name[: -len(ZIPPED)] if is_zipped else path.stem
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        whole = Path(folder) / f"{stem}.shp"
        table.to_file(whole, driver="ESRI Shapefile", encoding="utf-8", geometry_type="LineString")
        parts = [part for kind in _PARTS if (part := whole.with_suffix(kind)).is_file()]
        if not is_zipped:
            for part in parts:
                with atomic_write(path.with_suffix(part.suffix)) as temporary:
                    shutil.copyfile(part, temporary)
            return
        with (
            atomic_write(path) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for part in parts:
                archive.write(part, part.name)


def read_zipped_shapefile(path: Path, options: ReadOptions) -> nx.MultiGraph:
    """A network from the one Shapefile of a zip file, whose other content is not looked at.

    Raises:
        RoadexError: the extra `geo` is missing, or the file holds no or several Shapefiles.
    """
    with TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                name = _extracted(archive, path, Path(folder))
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise RoadexError(f"{path} is not a readable zip file ({error})") from error
        with readable_table(path, "Shapefile"):
            table = load_geopandas().read_file(Path(folder) / name)
    return network_of_table(path, with_long_names(table), options)


def _extracted(archive: zipfile.ZipFile, path: Path, folder: Path) -> str:
    """Take the parts of the one Shapefile out of an archive; gives the name of its lines."""
    members = [info for info in archive.infolist() if not info.filename.startswith("__MACOSX")]
    shapes = [info.filename for info in members if info.filename.lower().endswith(".shp")]
    if len(shapes) != 1:
        raise RoadexError(f"{path} holds {len(shapes)} Shapefiles: give a file of one")
    stem = shapes[0][: -len(".shp")]
    for info in members:
        kind = info.filename[len(stem) :].lower()
        if not info.filename.startswith(stem) or kind not in _PARTS:
            continue
        if info.file_size > _LARGEST_PART:
            raise RoadexError(f"{path}: {info.filename} is larger than a Shapefile can be")
        with archive.open(info) as source, (folder / f"roads{kind}").open("wb") as target:
            shutil.copyfileobj(source, target)
    return "roads.shp"


def _short_names(names: list[str]) -> dict[str, str]:
    """Names of at most ten letters, all different whatever their case."""
    taken: set[str] = set()
    short: dict[str, str] = {}
    for name in names:
        wanted = SHORT_NAMES.get(name, name)[:_LONGEST_NAME]
        choices = (f"{wanted[: _LONGEST_NAME - len(str(n))]}{n}" for n in count(2))
        found = wanted if wanted.lower() not in taken else None
        short[name] = found or next(name for name in choices if name.lower() not in taken)
        taken.add(short[name].lower())
    return short


def with_long_names(table: Any) -> Any:
    """A table with our own names for columns that `write_shapefile` has shortened."""
    long = {short: name for name, short in SHORT_NAMES.items()}
    return table.rename(columns={k: v for k, v in long.items() if v not in table})


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
