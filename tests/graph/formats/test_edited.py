"""Files of ours that were edited in a GIS, and files of osmnx: geometry decides."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pytest

from roadex.graph.formats import read_network, write_network
from roadex.graph.network import add_road, straight_network, total_length

geopandas = pytest.importorskip("geopandas")
import shapely  # noqa: E402

CORNER = np.array([664_000.0, 4_011_000.0])


@pytest.fixture()
def network():
    """A square of 100 m and a road across it."""
    corners = [tuple(CORNER + c) for c in [(0, 0), (100, 0), (100, 100), (0, 100)]]
    return straight_network(corners, [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)], "EPSG:32611")


def edited(path, change):
    """Apply a change to the table of roads of a GeoPackage, and write it with its nodes."""
    roads, nodes = (geopandas.read_file(path, layer=layer) for layer in ("roads", "nodes"))
    roads = change(roads)
    path.unlink()
    roads.to_file(path, layer="roads", driver="GPKG")
    nodes.to_file(path, layer="nodes", driver="GPKG")
    return read_network(path)


def split(roads):
    """The first road in two, both with its columns, as QGIS splits."""
    first, second = roads.iloc[[0]].copy(), roads.iloc[[0]].copy()
    (x0, y0), (x1, y1) = roads.geometry.iloc[0].coords
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    first.loc[first.index[0], "geometry"] = shapely.LineString([(x0, y0), middle])
    second.loc[second.index[0], "geometry"] = shapely.LineString([middle, (x1, y1)])
    return geopandas.pd.concat([roads.iloc[1:], first, second])


def added(roads):
    """A road that was drawn, without columns of ours."""
    new = roads.iloc[[0]].copy()
    new[["u", "v", "key", "length_m", "shape"]] = None
    new.loc[new.index[0], "geometry"] = shapely.LineString([CORNER, CORNER + (-50, 0)])
    return geopandas.pd.concat([roads, new])


def moved(roads):
    """A vertex dragged by 30 m."""
    line = shapely.LineString([CORNER, CORNER + (50, 30), CORNER + (100, 0)])
    roads.loc[roads.index[0], "geometry"] = line
    return roads


LENGTH = 400 + 100 * np.sqrt(2)


@pytest.mark.parametrize(
    ("change", "length"),
    [(split, LENGTH), (added, LENGTH + 50), (moved, LENGTH - 100 + 2 * np.hypot(50, 30))],
)
def test_an_edited_geopackage_is_read_by_its_lines(tmp_path, network, change, length):
    path = tmp_path / "roads.gpkg"
    write_network(network, path)
    assert total_length(edited(path, change)) == pytest.approx(length, abs=0.01)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:26911"])
def test_a_reprojected_geopackage_keeps_its_lengths(tmp_path, network, crs):
    path = tmp_path / "roads.gpkg"
    write_network(network, path)
    tables = {layer: geopandas.read_file(path, layer=layer) for layer in ("roads", "nodes")}
    path.unlink()
    for layer, table in tables.items():
        table.to_crs(crs).to_file(path, layer=layer, driver="GPKG")
    again = read_network(path)
    assert total_length(again) == pytest.approx(LENGTH, rel=2e-3)
    assert sorted(dict(again.degree).values()) == [3, 3]  # the two where roads meet


def test_an_edited_geojson_is_read_by_its_lines(tmp_path, network):
    path = tmp_path / "roads.geojson"
    write_network(network, path)
    content = json.loads(path.read_text())
    new = json.loads(json.dumps(content["features"][0]))
    start = new["geometry"]["coordinates"][0]
    new["geometry"]["coordinates"] = [start, [start[0] - 0.001, start[1]]]
    new["properties"] = {}
    content["features"].append(new)
    path.write_text(json.dumps(content))
    again = read_network(path)
    assert LENGTH + 80 < total_length(again) < LENGTH + 100


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".graphml"])
def test_attributes_may_have_any_name(tmp_path, suffix):
    lines = [((0, 0), (50, 50)), ((50, 50), (0, 100)), ((0, 0), (-50, 50)), ((-50, 50), (0, 100))]
    features = [
        {
            "type": "Feature",
            "properties": {"u": 1, "v": 2, "key": 0, "graph": "g", "id": 7, "length": 3.0},
            "geometry": {"type": "LineString", "coordinates": (CORNER + line).tolist()},
        }
        for line in lines
    ]
    crs = {"type": "name", "properties": {"name": "EPSG:32611"}}
    source = tmp_path / "lines.geojson"
    source.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))
    network = read_network(source)
    assert total_length(network) == pytest.approx(4 * np.hypot(50, 50), abs=0.01)
    write_network(network, tmp_path / f"again{suffix}")
    again = read_network(tmp_path / f"again{suffix}")
    assert total_length(again) == pytest.approx(total_length(network), abs=0.01)


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".graphml"])
def test_u_and_v_follow_the_line(tmp_path, suffix):
    network = nx.MultiGraph(crs="EPSG:32611")
    add_road(network, 0, 1, CORNER + [(0, 0), (100, 0)])
    add_road(network, 1, 0, CORNER + [(100, 0), (50, 40), (0, 0)])
    path = tmp_path / f"roads{suffix}"
    write_network(network, path)
    if suffix == ".gpkg":
        table = geopandas.read_file(path, layer="roads")
        rows = list(zip(table["u"], table["v"], table.geometry, strict=True))
    elif suffix == ".geojson":
        features = json.loads(path.read_text())["features"]
        rows = [
            (f["properties"]["u"], f["properties"]["v"], shapely.geometry.shape(f["geometry"]))
            for f in features
        ]
        assert [int(u) for u, *_ in rows] == [0, 1]
    else:
        graph = nx.read_graphml(path, force_multigraph=True)
        rows = [(u, v, shapely.from_wkt(data["geometry"])) for u, v, data in graph.edges(data=True)]
    again = read_network(path)
    for u, v, line in rows:
        assert int(u) != int(v) and len(line.coords) in (2, 3)
    assert total_length(again) == pytest.approx(total_length(network), abs=0.01)


def test_osmnx_graphml_in_degrees_with_both_directions(tmp_path):
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for name, (x, y) in {"1": (-115.2, 36.2), "2": (-115.199, 36.2)}.items():
        graph.add_node(name, x=str(x), y=str(y))
    for u, v in (("1", "2"), ("2", "1")):
        graph.add_edge(u, v, key=0, osmid="5", length="89.9", oneway="False")
    nx.write_graphml(graph, tmp_path / "osmnx.graphml")
    network = read_network(tmp_path / "osmnx.graphml")
    assert network.graph["crs"] == "EPSG:32611"
    assert total_length(network) == pytest.approx(89.9, rel=0.005)
