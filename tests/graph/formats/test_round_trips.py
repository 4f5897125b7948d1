"""What is written is read back."""

from __future__ import annotations

import json
import re
import sqlite3
import zipfile
from contextlib import closing
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest

from roadex.errors import RoadexError
from roadex.graph.formats import ReadOptions, read_network, read_networks, write_network
from roadex.graph.formats.wkt_csv import write_wkt_csv
from roadex.graph.network import add_road, empty_network, straight_network, total_length


def odd_network(crs: str | None = None) -> nx.MultiGraph:
    """Parallel roads, a self-loop, a ring, a lone node, odd names, attributes of every kind."""
    shift = np.array([664_000.1, 4_011_000.7]) if crs else np.zeros(2)
    graph = empty_network(crs)
    graph.add_node("lone", x=float(shift[0] + 1 / 3), y=float(shift[1] + 0.1), kind="island")
    third = 1 / 3
    add_road(graph, 7, (1, "b"), shift + [(0, 0), (third, 5), (10, 0.1)], road_type=5, paved=True)
    add_road(graph, (1, "b"), 7, shift + [(10, 0.1), (5, -third), (0, 0)], mean_probability=0.1)
    add_road(graph, 7, 7, shift + [(0, 0), (-5, 5), (-5, -5), (0, 0)], name='Loop, "the" <ü>')
    add_road(graph, 9, 9, shift + [(50, 50), (55, 50), (50, 55), (50, 50)], length=17.25)
    add_road(graph, 7, (1, "b"), shift + [(0, 0), (10, 0.1)], width_m=np.float64(6.5))
    graph.add_edge(9, 7, key=42, geometry=shift + np.array([(50.0, 50.0), (0, 0)]), length=70.7)
    return graph


def assert_same(one: nx.MultiGraph, other: nx.MultiGraph, exact: bool = True) -> None:
    assert list(one.nodes) == list(other.nodes)
    assert list(one.edges(keys=True)) == list(other.edges(keys=True))
    assert one.graph["crs"] == other.graph["crs"]
    for node in one:
        assert one.nodes[node] == other.nodes[node]
    for edge in one.edges(keys=True):
        before, after = dict(one.edges[edge]), dict(other.edges[edge])
        lines = before.pop("geometry"), after.pop("geometry")
        assert before == after
        assert {k: type(v) for k, v in after.items()} == {
            k: float if isinstance(v, float) else type(v) for k, v in before.items()
        }
        if exact:
            np.testing.assert_array_equal(*lines)
        else:
            np.testing.assert_allclose(*lines, rtol=0, atol=1e-6)


def test_our_graphml_is_read_without_the_types_of_its_keys(tmp_path):
    path = tmp_path / "a.graphml"
    write_network(straight_network([(0, 0), (30, 0), (30, 40)], [(0, 1), (1, 2)]), path)
    path.write_text(re.sub(r'attr\.type="\w+"', 'attr.type="string"', path.read_text()))
    assert total_length(read_network(path)) == 70.0


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".graphml"])
def test_our_formats_keep_a_network_to_the_last_bit(tmp_path, suffix):
    graph = odd_network()
    write_network(graph, tmp_path / f"roads{suffix}")
    assert_same(graph, read_network(tmp_path / f"roads{suffix}"))


@pytest.mark.parametrize(
    ("suffix", "exact"), [(".geojson", False), (".gpkg", True), (".graphml", True)]
)
def test_networks_on_the_map_come_back_too(tmp_path, suffix, exact):
    graph = odd_network("EPSG:32611")
    write_network(graph, tmp_path / f"roads{suffix}")
    assert_same(graph, read_network(tmp_path / f"roads{suffix}"), exact)


def test_geojson_on_the_map_is_in_degrees(tmp_path):
    write_network(odd_network("EPSG:32611"), tmp_path / "roads.geojson")
    content = json.loads((tmp_path / "roads.geojson").read_text())
    assert content["roadex"]["units"] == "m"
    for feature in content["features"]:
        for longitude, latitude in feature["geometry"]["coordinates"]:
            assert -116 < longitude < -115
            assert 36 < latitude < 37


def test_networkx_reads_our_graphml(tmp_path):
    graph = odd_network()
    write_network(graph, tmp_path / "roads.graphml")
    plain = nx.read_graphml(tmp_path / "roads.graphml")
    assert nx.is_isomorphic(plain, graph)
    assert nx.shortest_path_length(plain, "9", "(1, 'b')", weight="length") > 70


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".graphml", ".json", ".csv"])
def test_an_empty_network_is_a_valid_file(tmp_path, suffix):
    write_network(empty_network(), tmp_path / f"roads{suffix}")
    graph = read_network(tmp_path / f"roads{suffix}")
    assert len(graph) == 0
    assert graph.graph["crs"] is None


@pytest.mark.parametrize("suffix", [".json", ".csv", ".graph", ".txt", ".p"])
def test_formats_of_others_keep_the_shape(tmp_path, suffix):
    graph = odd_network()
    graph.remove_node("lone")
    write_network(graph, tmp_path / f"roads{suffix}", gsd=0.5)
    again = read_network(tmp_path / f"roads{suffix}", gsd=0.5)
    measured = sum(data["length"] for *_, data in graph.edges(data=True)) - 17.25
    ring = np.hypot(5, 5) + 10
    assert total_length(again) == pytest.approx(measured + ring, abs=0.02)
    assert sorted(dict(again.degree).values()) == sorted(dict(graph.degree).values())


def test_a_csv_of_several_images(tmp_path):
    networks = {"img1": odd_network(), "img2": empty_network()}
    write_wkt_csv(networks, tmp_path / "all.csv", 1.0)
    again = read_networks(tmp_path / "all.csv", ReadOptions(gsd=2.0))
    assert list(again) == ["img1", "img2"]
    assert len(again["img2"]) == 0
    assert total_length(again["img1"]) > total_length(odd_network())
    with pytest.raises(RoadexError, match="2 images"):
        read_network(tmp_path / "all.csv", gsd=1.0)


@pytest.mark.parametrize("suffix", [".csv", ".graph", ".p"])
def test_pixel_formats_refuse_a_map(tmp_path, suffix):
    with pytest.raises(RoadexError, match="pixels"):
        write_network(odd_network("EPSG:32611"), tmp_path / f"roads{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_unknown_suffixes_name_the_known(tmp_path):
    with pytest.raises(RoadexError, match=r"\.geojson"):
        write_network(empty_network(), tmp_path / "roads.xyz")
    with pytest.raises(RoadexError, match=r"\.graphml"):
        read_network(tmp_path / "roads.xyz")


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "roads.geojson").mkdir()
    with pytest.raises(RoadexError, match="cannot be written"):
        write_network(empty_network(), tmp_path / "roads.geojson")
    assert [path.name for path in tmp_path.iterdir()] == ["roads.geojson"]


@pytest.mark.parametrize("suffix", [".parquet", ".fgb"])
@pytest.mark.parametrize("count", [0, 4])
def test_tables_of_roads_keep_lines_and_where_they_meet(tmp_path, suffix, count):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    graph = empty_network("EPSG:32632")
    places = [(500_000.0 + 100 * i, 5_000_000.0 + 30 * i**2) for i in range(count)]
    for end in range(1, count):
        line = [places[0], (500_020.0, 5_000_000.0 + end), places[end]]
        add_road(graph, 0, end, line, width_m=7.5, mean_probability=0.9)
    path = tmp_path / f"roads{suffix}"
    write_network(graph, path)
    if not count:
        assert path.stat().st_size
        return
    again = read_network(path)
    assert again.graph["crs"] == "EPSG:32632"
    assert total_length(again) == pytest.approx(total_length(graph), abs=1e-6)
    assert sorted(dict(again.degree).values()) == sorted(dict(graph.degree).values())
    assert {data["width_m"] for *_, data in again.edges(data=True)} == {7.5}


def test_a_geoparquet_file_is_read_by_area(tmp_path):
    geopandas = pytest.importorskip("geopandas")
    pytest.importorskip("pyarrow")
    graph = empty_network("EPSG:32632")
    for i in range(10):
        add_road(graph, i, 100 + i, [(1000.0 * i, 0.0), (1000.0 * i + 50, 10.0)])
    write_network(graph, tmp_path / "roads.parquet")
    table = geopandas.read_parquet(tmp_path / "roads.parquet", bbox=(2900, -5, 4100, 20))
    assert sorted(table.geometry.bounds["minx"]) == [3000.0, 4000.0]


def test_a_flatgeobuf_file_tells_nothing_of_who_wrote_it(tmp_path, monkeypatch):
    for process in (1, 2):
        monkeypatch.setattr("os.getpid", lambda process=process: process)
        write_network(odd_network("EPSG:32632"), tmp_path / str(process) / "roads.fgb")
    one, other = ((tmp_path / name / "roads.fgb").read_bytes() for name in ("1", "2"))
    assert one == other


@pytest.mark.parametrize("suffix", [".parquet", ".fgb"])
def test_a_damaged_table_is_refused_in_one_line(tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    (tmp_path / f"roads{suffix}").write_bytes(b"none")
    with pytest.raises(RoadexError, match="is not a readable"):
        read_network(tmp_path / f"roads{suffix}")


def test_travel_times_of_submissions_come_back_and_are_shared_at_junctions(tmp_path):
    graph = straight_network([(0, 0), (60, 0), (100, 0)], [(0, 1), (1, 2)])
    graph.edges[0, 1, 0]["travel_time_s"], graph.edges[1, 2, 0]["travel_time_s"] = 6.0, 5.0
    write_network(graph, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().startswith("ImageId,WKT_Pix,length_m,travel_time_s\n")
    ((_, _, road),) = read_network(tmp_path / "a.csv", 1.0).edges(data=True)
    assert road["travel_time_s"] == pytest.approx(11)
    rows = ['a,"LINESTRING (0 0, 60 0, 100 0)",100,10', 'a,"LINESTRING (60 0, 60 50)",50,1']
    (tmp_path / "b.csv").write_text("ImageId,WKT_Pix,length_m,travel_time_s\n" + "\n".join(rows))
    network = read_network(tmp_path / "b.csv", 1.0)
    times = sorted(d["travel_time_s"] for *_, d in network.edges(data=True))
    assert times == pytest.approx([1, 4, 6])


@pytest.mark.parametrize("name", ["roads.shp", "roads.shp.zip"])
def test_shapefiles_have_short_names_that_are_read_back_as_ours(tmp_path, name):
    import geopandas

    graph = empty_network("EPSG:32633")
    values = {"mean_probability": 0.5, "travel_time_s": 12.5, "oneway": True, "bridged": False}
    others = {"highway": "primary", "a_very_long_name": 1, "a_very_long_word": 2}
    add_road(graph, 0, 1, [(5e5, 5e6), (500100.25, 5e6)], **values, **others)
    write_network(graph, tmp_path / name)
    columns = set(geopandas.read_file(tmp_path / name)) - {"geometry"}
    assert all(len(column) <= 10 for column in columns)
    assert {"mean_prob", "time_s", "a_very_lon", "a_very_lo2", "length_m"} <= columns
    (data,) = (data for *_, data in read_network(tmp_path / name).edges(data=True))
    assert {k: data[k] for k in values} == values
    assert data["highway"] == "primary" and data["length"] == pytest.approx(100.25)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".zip") == (
        ["roads.shp.zip"] if name.endswith(".zip") else []
    )


def test_a_zip_file_of_no_or_several_shapefiles_is_refused_in_one_line(tmp_path):
    (tmp_path / "no.shp.zip").write_bytes(b"PK")
    with pytest.raises(RoadexError, match="not a readable zip file"):
        read_network(tmp_path / "no.shp.zip")
    with zipfile.ZipFile(tmp_path / "two.shp.zip", "w") as archive:
        for member in ("../a.shp", "b.shp"):
            archive.writestr(member, b"")
    with pytest.raises(RoadexError, match="holds 2 Shapefiles"):
        read_network(tmp_path / "two.shp.zip")


@pytest.mark.parametrize(
    ("attributes", "renderer", "symbols"),
    [
        ({"highway": "primary", "mean_probability": 0.9}, "categorizedSymbol", 8),
        ({"mean_probability": 0.9}, "graduatedSymbol", 6),
        ({}, "singleSymbol", 1),
    ],
)
def test_a_geopackage_carries_a_style_for_qgis(tmp_path, attributes, renderer, symbols):
    graph = empty_network("EPSG:32633")
    add_road(graph, 0, 1, [(5e5, 5e6), (500100, 5e6)], **attributes)
    write_network(graph, tmp_path / "roads.gpkg")
    with closing(sqlite3.connect(tmp_path / "roads.gpkg")) as database:
        query = "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML FROM layer_styles"
        ((*layer, qml),) = database.execute(query).fetchall()
    assert layer == ["roads", "geom", 1]
    root = ElementTree.fromstring(qml[qml.index("<qgis") :]).find("renderer-v2")
    assert root.get("type") == renderer and len(root.findall("symbols/symbol")) == symbols
    used = [choice.get("symbol") for choice in root.iter() if choice.tag in ("category", "range")]
    assert set(used) <= {symbol.get("name") for symbol in root.findall("symbols/symbol")}
