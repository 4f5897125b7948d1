"""Networks opened by area."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import shapely
from pyproj import Transformer

import roadex
from roadex.errors import RoadexError
from roadex.graph.network import straight_network

BOX = (500_120.0, 5_000_120.0, 500_190.0, 5_000_260.0)
SUFFIXES = (".gpkg", ".parquet", ".fgb", ".geojson")


@pytest.fixture
def streets() -> nx.MultiGraph:
    """A grid of 20 x 20 crossings 50 m apart, in UTM."""
    grid = nx.grid_2d_graph(20, 20)
    places = {(i, j): (500_000.0 + 50 * i, 5_000_000.0 + 50 * j) for i, j in grid}
    numbers = {node: 7 * k for k, node in enumerate(places)}
    edges = [(numbers[u], numbers[v]) for u, v in grid.edges]
    return straight_network({numbers[n]: xy for n, xy in places.items()}, edges, "EPSG:32632")


@pytest.fixture(params=SUFFIXES)
def file(request, streets, tmp_path) -> Path:
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"streets{request.param}"
    roadex.write_network(streets, path)
    return path


def touching(streets: nx.MultiGraph) -> set[tuple[int, int]]:
    box = shapely.box(*BOX)
    return {
        (min(u, v), max(u, v))
        for u, v, line in streets.edges(data="geometry")
        if shapely.linestrings(line).intersects(box)
    }


def test_an_area_has_the_roads_that_touch_it(file, streets):
    network = roadex.open_network(file)
    assert len(network) == streets.number_of_edges()
    part = network.within(BOX, crs="EPSG:32632")
    assert part.graph["crs"] == "EPSG:32632" and part.number_of_edges() == len(touching(streets))
    if file.suffix != ".geojson":
        assert network.crs == "EPSG:32632" and network.bounds == (
            500_000,
            5_000_000,
            500_950,
            5_000_950,
        )
        assert {(min(e), max(e)) for e in part.edges()} == touching(streets)
    assert nx.is_isomorphic(network.read(), streets)


def test_a_box_may_be_in_degrees(file, streets):
    change = Transformer.from_crs("EPSG:32632", "EPSG:4326", always_xy=True)
    box = change.transform_bounds(*BOX)
    part = roadex.open_network(file).within(box, crs="EPSG:4326")
    assert part.number_of_edges() == len(touching(streets))


def test_no_more_is_read_than_lies_there(tmp_path, streets, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr("roadex.graph.formats.tables._ROWS_AT_ONCE", 40)
    path = tmp_path / "streets.parquet"
    roadex.write_network(streets, path)
    whole = path.read_bytes()
    network = roadex.open_network(path)
    first = network.within(BOX)
    from pyarrow.parquet import ParquetFile

    far = _row_group_beyond(ParquetFile(path), BOX)
    offset = far.column(far.num_columns - 5).data_page_offset
    path.write_bytes(whole[:offset] + bytes(200) + whole[offset + 200 :])
    assert nx.utils.graphs_equal(_bare(network.within(BOX)), _bare(first))
    with pytest.raises(RoadexError, match="not a readable GeoParquet"):
        network.read()


def _row_group_beyond(file, box):
    for index in range(file.num_row_groups):
        group = file.metadata.row_group(index)
        columns = [group.column(i) for i in range(group.num_columns)]
        (left,) = (c for c in columns if c.path_in_schema == "bbox.xmin")
        if left.statistics.min > box[2]:
            return group
    raise AssertionError("no part of the file lies beyond the box")


def _bare(graph: nx.MultiGraph) -> nx.MultiGraph:
    return nx.MultiGraph(graph.edges(keys=True))


@pytest.mark.parametrize("box", [(2, 0, 1, 1), (0, 0, np.nan, 1)])
def test_what_is_no_box_is_refused_in_one_line(file, box):
    with pytest.raises(RoadexError, match="give left, bottom, right and top"):
        roadex.open_network(file).within(box)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", b"", "networks can be opened in .gpkg"),
        ("a.gpkg", None, "no such file"),
        ("a.gpkg", b"nothing", "not a readable GeoPackage"),
        ("a.parquet", b"nothing", "not a readable GeoParquet"),
        ("a.fgb", b"", "not a readable FlatGeobuf"),
    ],
)
def test_what_is_no_network_is_refused_in_one_line(tmp_path, name, content, complaint):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RoadexError, match=complaint):
        roadex.open_network(tmp_path / name)
