"""Files as others write them: real ones, and odd ones."""

from __future__ import annotations

import json
import os
import pickle

import cv2
import networkx as nx
import numpy as np
import pytest

from roadex.errors import RoadexError
from roadex.graph.formats import COSMIQ_READER, read_network
from roadex.graph.network import straight_network, total_length


def write_features(path, *geometries, **more) -> None:
    features = [{"type": "Feature", "properties": {}, "geometry": item} for item in geometries]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))


def line(*points) -> dict:
    return {"type": "LineString", "coordinates": [list(point) for point in points]}


UTM = {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32611"}}}


def test_lines_meet_where_vertices_are_equal_and_not_where_they_cross(tmp_path):
    path = tmp_path / "roads.geojson"
    write_features(
        path, line((0, 0), (10, 0), (20, 0)), line((10, 0), (10, 9)), line((5, -5), (5, 5)), **UTM
    )
    graph = read_network(path)
    assert sorted(dict(graph.degree).values()) == [1, 1, 1, 1, 1, 3]
    assert graph.graph["crs"] == "EPSG:32611"
    assert total_length(graph) == 39.0


def test_odd_geometries_are_dropped_and_counted(tmp_path):
    path = tmp_path / "roads.geojson"
    multi = {"type": "MultiLineString", "coordinates": [[[0, 9], [5, 9, 120.0]], [[7, 9]], []]}
    point = {"type": "Point", "coordinates": [0, 0]}
    holed = line((0, 0), (5, 0), (None, 0), (8, 0), (9, 0), (9, 0))
    doubled = line((5, 9), (0, 9))
    write_features(path, multi, None, point, holed, doubled, **UTM)
    graph = read_network(path)
    assert total_length(graph) == 5 + 5 + 1
    assert graph.graph["dropped"] == {
        "line with one point": 2,
        "null geometry": 1,
        "Point geometry": 1,
        "vertex without finite coordinates": 1,
        "repeated point": 1,
        "piece drawn twice": 1,
    }


def test_degrees_become_metres_of_their_utm_zone(tmp_path):
    path = tmp_path / "roads.geojson"
    write_features(path, line((-115.17, 36.236), (-115.17, 36.237)))
    graph = read_network(path)
    assert graph.graph["crs"] == "EPSG:32611"
    assert total_length(graph) == pytest.approx(111.0, abs=0.3)
    south = tmp_path / "south.geojson"
    write_features(south, line((151.2, -33.8), (151.2, -33.801)))
    assert read_network(south).graph["crs"] == "EPSG:32756"
    assert read_network(south, crs="EPSG:32755").graph["crs"] == "EPSG:32755"


def test_haversine_lengths_are_sums_of_whole_millimetres(tmp_path):
    path = tmp_path / "roads.geojson"
    write_features(path, line((-115, 36), (-115, 36.001), (-115, 36.002)))
    ((*_, length),) = read_network(path, edge_length="haversine_mm").edges(data="length")
    arc = np.radians(0.001) * 6_371_009
    assert length == pytest.approx(2 * round(arc, 3), abs=1e-9)


def test_small_components_are_dropped_when_asked(tmp_path):
    path = tmp_path / "roads.geojson"
    tiny, large = line((-115, 36), (-115, 36.00001)), line((-115, 36.01), (-115, 36.02))
    write_features(path, tiny, large)
    assert read_network(path).number_of_edges() == 2
    graph = read_network(path, min_component_m=5)
    assert graph.number_of_edges() == 1
    assert graph.graph["dropped"] == {"component below the minimum": 1}


@pytest.mark.parametrize("number", [99, 990, 991, 997, 999])
def test_real_lines_are_read_as_the_reference_reads_them(oracles, number):
    for side in ("gt", "prop"):
        folder = oracles / f"vegas_img{number}"
        ours = read_network(folder / f"{side}.geojson", **COSMIQ_READER)
        reference = read_network(folder / f"{side}.json")
        small = [c for c in nx.connected_components(reference) if len(c) == 2]
        assert ours.number_of_edges() <= reference.number_of_edges()
        assert ours.number_of_edges() >= reference.number_of_edges() - len(small)
        if ours.number_of_edges() == reference.number_of_edges():
            assert total_length(ours) == pytest.approx(total_length(reference), rel=0.003)


def test_real_spacenet_labels(real_data):
    paths = sorted((real_data / "spacenet3").rglob("*.geojson"))
    assert len(paths) > 5
    for path in paths:
        graph = read_network(path)
        assert total_length(graph) > 100
        assert 2 not in {d for n, d in graph.degree if n not in graph.adj[n]}


def test_real_pickles(real_data):
    folder = real_data / "cityscale_sat2graph" / "metrics" / "example"
    truth, proposal = (
        read_network(folder / "gt.p", gsd=1.0),
        read_network(folder / "prop.p", gsd=1.0),
    )
    assert total_length(truth) == pytest.approx(78_511, abs=1)
    assert total_length(proposal) > 80_000
    for graph in (truth, proposal):
        assert all(0 <= d["x"] <= 2048 and 0 <= d["y"] <= 2048 for _, d in graph.nodes(data=True))


def test_pickled_rows_are_y(tmp_path):
    path = tmp_path / "graph.p"
    path.write_bytes(pickle.dumps({(np.int64(10), np.float32(20)): [(10, 50)], (10, 50): []}))
    graph = read_network(path, gsd=0.5)
    assert sorted((d["x"], d["y"]) for _, d in graph.nodes(data=True)) == [(10, 5), (25, 5)]


class Evil:
    """Runs a command when unpickled."""

    def __init__(self, target) -> None:
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


class EvilDtype:
    def __reduce__(self):
        return np.dtype, ("O",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_malicious_pickle_is_refused_and_does_nothing(tmp_path, protocol):
    path, trace = tmp_path / "graph.p", tmp_path / "trace"
    path.write_bytes(pickle.dumps({(0, 0): [Evil(trace)]}, protocol=protocol))
    with pytest.raises(RoadexError, match=r"system") as caught:
        read_network(path)
    assert "\n" not in str(caught.value)
    assert not trace.exists()
    pickle.loads(path.read_bytes())
    assert trace.exists(), "the file is malicious indeed"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        pickle.dumps({(0, 0): [(1, 1)]})[:-5],
        pickle.dumps([1, 2]),
        pickle.dumps({1: 2}),
        pickle.dumps({(0, 0): [EvilDtype()]}),
        pickle.dumps(np.zeros(3)),
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n(N}S'__call__'\ncbuiltins\nlist\nstb.",
    ],
)
def test_damaged_and_foreign_pickles_are_one_line(tmp_path, content):
    path = tmp_path / "graph.p"
    path.write_bytes(content)
    with pytest.raises(RoadexError, match=r"graph\.p"):
        read_network(path)


def test_roadtracer_text(tmp_path):
    path = tmp_path / "city.graph"
    path.write_text("0 0\n100 0\n200 0\n100 50\n\n0 1\n1 0\n1 2\n2 1\n1 3\n3 1\n")
    graph = read_network(path, gsd=0.6)
    assert sorted(dict(graph.degree).values()) == [1, 1, 1, 3]
    assert total_length(graph) == pytest.approx(250 * 0.6)


def test_simple_json_with_duplicate_nodes_and_edges_of_no_length(tmp_path):
    path = tmp_path / "roads.json"
    nodes = [[0, 0], [10, 0], [10, 0], [20, 0], [None, 3]]
    edges = [[0, 1], {"u": 1, "v": 2}, [2, 3], [3, 3], [3, 4]]
    path.write_text(json.dumps({"units": "m", "nodes": nodes, "edges": edges}))
    graph = read_network(path)
    assert nx.has_path(graph, 0, 3)
    assert total_length(graph) == 20.0
    assert graph.graph["dropped"] == {
        "node without finite coordinates": 1,
        "edge of no length": 2,
        "edge without finite coordinates": 1,
    }


def test_a_geometry_drawn_backwards_or_beside_its_nodes_is_tied_to_them(tmp_path):
    path = tmp_path / "roads.json"
    geometry = [[10.0001, 0], [5, 1], [0.5, 0]]
    content = {"nodes": [[0, 0], [10, 0]], "edges": [{"u": 0, "v": 1, "geometry": geometry}]}
    path.write_text(json.dumps(content))
    ((*_, road),) = read_network(path).edges(data="geometry")
    np.testing.assert_array_equal(road, [(0, 0), (0.5, 0), (5, 1), (10, 0)])


def test_graphml_of_others(tmp_path):
    graph = straight_network([(0, 0), (3, 4)], [(0, 1)])
    bare = nx.Graph()
    bare.add_nodes_from((n, dict(d)) for n, d in graph.nodes(data=True))
    bare.add_edge(0, 1)
    nx.write_graphml(bare, tmp_path / "bare.graphml")
    assert total_length(read_network(tmp_path / "bare.graphml")) == 5.0


def test_a_geopackage_of_others(tmp_path):
    geopandas = pytest.importorskip("geopandas")
    shapely = pytest.importorskip("shapely")
    shapes = [shapely.LineString([(-115, 36), (-115, 36.001)]), None, shapely.Point(0, 0)]
    table = geopandas.GeoDataFrame({"lanes": [2, 1, 1]}, geometry=shapes, crs="EPSG:4326")
    table[:2].to_file(tmp_path / "osm.gpkg", driver="GPKG")
    graph = read_network(tmp_path / "osm.gpkg")
    assert total_length(graph) == pytest.approx(111, abs=0.3)
    assert graph.graph["dropped"] == {"null geometry": 1}
    assert [lanes for *_, lanes in graph.edges(data="lanes")] == [2]
    table[2:].to_file(tmp_path / "points.gpkg", driver="GPKG")
    with pytest.raises(RoadexError, match="no layer of lines"):
        read_network(tmp_path / "points.gpkg")


def test_a_mask_becomes_a_network(tmp_path):
    mask = np.zeros((100, 100), dtype=np.uint8)
    mask[45:55] = 255
    for name, picture in (
        ("a.png", mask),
        ("b.tif", mask // 255),
        ("c.png", np.dstack([mask] * 3)),
    ):
        cv2.imwrite(str(tmp_path / name), picture)
        assert total_length(read_network(tmp_path / name, gsd=0.5)) == pytest.approx(50)
    colour = np.dstack([mask, mask * 0, mask])
    colour[:10] = (0, 255, 0)
    cv2.imwrite(str(tmp_path / "colour.png"), colour)
    with pytest.raises(RoadexError, match="colour"):
        read_network(tmp_path / "colour.png")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.geojson", "", "empty"),
        ("a.geojson", '{"type": "FeatureColl', "cut short"),
        ("a.geojson", "[1, 2]", "no JSON object"),
        ("a.geojson", '{"type": "FeatureCollection"}', "not GeoJSON"),
        ("a.geojson", '{"roadex": {}, "features": []}', "not GeoJSON"),
        (
            "a.geojson",
            '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": '
            '"LineString", "coordinates": [[0, 0], [0, 1]]}, "properties": {}}], "crs": {"type": '
            '"name", "properties": {"name": "nonsense"}}}',
            "unknown coordinate reference system",
        ),
        ("a.json", '{"nodes": []}', "neither"),
        ("a.json", '{"nodes": [[0, 0]], "edges": [[0, 5]]}', "node 5"),
        ("a.json", '{"nodes": [[0, 0, 0]], "edges": []}', "malformed"),
        ("a.graphml", "<graphml>", "not GraphML"),
        ("a.csv", "a,b\n1,2\n", "WKT_Pix"),
        ("a.csv", "ImageId,WKT_Pix\nx,LINESTRING (1\n", "line 2"),
        ("a.csv", "ImageId,WKT_Pix\nx,POINT (1 1)\n", "not a line"),
        ("a.graph", "0 0\nx y\n", "line 2"),
        ("a.gpkg", "no", "GeoPackage"),
        ("a.png", "no", "picture"),
    ],
)
def test_bad_files_are_named_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(RoadexError, match=message) as caught:
        read_network(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".geojson", ".json", ".p", ".png", ".csv", ".gpkg", ".graphml"])
def test_a_missing_file_is_named(tmp_path, suffix):
    with pytest.raises(RoadexError, match="missing"):
        read_network(tmp_path / f"missing{suffix}")


def test_coordinates_that_are_no_degrees_are_refused(tmp_path):
    path = tmp_path / "swapped.geojson"
    write_features(path, line((36.2, -115.1), (36.3, -115.1)))
    with pytest.raises(RoadexError, match="axes swapped"):
        read_network(path)


def test_a_pickle_cut_short_is_damaged_and_not_malicious(tmp_path):
    path = tmp_path / "graph.p"
    path.write_bytes(pickle.dumps({(0.0, 0.0): [(1.5, 1.5)]})[:-9])
    with pytest.raises(RoadexError, match=r"graph\.p is a damaged pickle"):
        read_network(path)


def test_a_coordinate_that_is_no_place_on_earth_is_refused(tmp_path):
    """A file of 60 bytes must not ask for the memory of a road around the Sun."""
    path = tmp_path / "far.csv"
    path.write_text('ImageId,WKT_Pix\na,"LINESTRING (0 0, 1000000000 10)"\n')
    with pytest.raises(RoadexError, match=r"far\.csv: a road reaches to a coordinate of 1e\+09 m"):
        read_network(path, 1.0)


def test_a_pickle_whose_places_share_one_list_is_refused(tmp_path):
    """187 kB that unfold to 400 million links."""
    near = [(0, column) for column in range(20_000)]
    path = tmp_path / "bomb.p"
    path.write_bytes(pickle.dumps({(0, column): near for column in range(20_000)}, protocol=2))
    with pytest.raises(RoadexError, match=r"bomb\.p: 400000000 links .* share one list"):
        read_network(path, 1.0)


def town_at(longitude):
    """The crossings and streets of 3 x 3 blocks of a thousandth of a degree, about a meridian."""
    places = [(longitude + (i - 1.5) / 1000, -16.8 + j / 1000) for i in range(4) for j in range(4)]
    streets = [(4 * i + j, 4 * i + j + 1) for i in range(4) for j in range(3)]
    streets += [(4 * i + j, 4 * i + j + 4) for i in range(3) for j in range(4)]
    return places, streets


def beyond(start, end):
    return [[list(start), list(end)]]


def jumping(start, end):
    return [[[(x + 180) % 360 - 180, y] for x, y in (start, end)]]


def cut(start, end):
    if (start[0] < 180) == (end[0] < 180):
        return jumping(start, end)
    return [[list(start), [180.0, start[1]]], [[-180.0, end[1]], [end[0] - 360, end[1]]]]


@pytest.mark.parametrize("write", [beyond, jumping, cut])
def test_streets_over_the_antimeridian_stay_connected(tmp_path, write):
    networks = []
    for meridian, written in ((177.0, beyond), (180.0, write)):
        places, streets = town_at(meridian)
        lines = [written(places[u], places[v]) for u, v in streets]
        multi = [{"type": "MultiLineString", "coordinates": parts} for parts in lines]
        write_features(tmp_path / "town.geojson", *multi)
        networks.append(read_network(tmp_path / "town.geojson"))
    elsewhere, here = networks
    assert nx.is_isomorphic(here, elsewhere)
    assert total_length(here) == pytest.approx(total_length(elsewhere), rel=3e-3)


def test_a_table_without_columns_is_read(tmp_path):
    geopandas = pytest.importorskip("geopandas")
    shapely = pytest.importorskip("shapely")
    lines = [shapely.LineString([(5e5, 4e6), (5e5, 4e6 + 70)]), shapely.LineString()]
    for name, driver in (("a.gpkg", "GPKG"), ("a.fgb", "FlatGeobuf")):
        geopandas.GeoSeries(lines[:1], crs=32611).to_file(tmp_path / name, driver=driver)
        assert total_length(read_network(tmp_path / name)) == pytest.approx(70, rel=1e-3)
    geopandas.GeoSeries(lines, crs=32611).to_file(tmp_path / "b.gpkg")
    assert read_network(tmp_path / "b.gpkg").number_of_edges() == 1


@pytest.mark.parametrize("between", ["\n", "\r\n", "\n\x1e"])
def test_features_of_one_a_line_are_read(tmp_path, between):
    write_features(
        tmp_path / "a.geojson", line((10, 60), (10, 60.001)), line((10, 60), (10.001, 60))
    )
    features = json.loads((tmp_path / "a.geojson").read_text())["features"]
    text = between.join(["", *map(json.dumps, features), ""])
    (tmp_path / "b.geojson").write_text(text)
    whole, parts = (read_network(tmp_path / f"{name}.geojson") for name in "ab")
    assert nx.is_isomorphic(whole, parts) and total_length(whole) == total_length(parts)


def degrees_as_json(path):
    path.write_text(
        '{"nodes": [[10, 60], [10.002, 60], [10.002, 60.01]], "edges": [[0, 1], [1, 2]]}'
    )


def degrees_as_csv(path):
    lines = ("LINESTRING (10 60, 10.002 60)", "LINESTRING (10.002 60, 10.002 60.01)")
    path.write_text("ImageId,WKT_Pix\n" + "".join(f'a,"{line}"\n' for line in lines))


def degrees_as_metres(path):
    write_features(path, line((10, 60), (10.002, 60)), line((10.002, 60), (10.002, 60.01)), **UTM)


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.json", degrees_as_json), ("a.csv", degrees_as_csv), ("a.geojson", degrees_as_metres)],
)
def test_degrees_that_are_taken_for_metres_are_refused(tmp_path, name, write):
    write(tmp_path / name)
    with pytest.raises(RoadexError, match=rf"{name}: its longest road is .*degrees"):
        read_network(tmp_path / name, gsd=1.0)


@pytest.mark.parametrize("units", ["ft", "px", "degrees", 3])
def test_simple_json_in_other_units_is_refused(tmp_path, units):
    content = {"units": units, "nodes": [[0, 0], [100, 0]], "edges": [[0, 1]]}
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(RoadexError, match=r"a.json: units .* coordinates are metres"):
        read_network(tmp_path / "a.json")
