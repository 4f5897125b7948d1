"""The command and its files: layers with styles, GeoJSON, a file for JOSM, figures, a page."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely

from roadex.changes.inputs import read_pair
from roadex.changes.summary import rows_of
from roadex.compare import compare_files
from roadex.config.compare import CompareConfig
from roadex.errors import RoadexError
from roadex.geo.crs import WGS84, reproject
from roadex.graph.formats import write_network
from roadex.graph.network import add_road, empty_network
from tests.support.browser import browser
from tests.support.networks import grid
from tests.support.osm import TOWN

geopandas = pytest.importorskip("geopandas")
CRS = "EPSG:32611"


def run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "roadex.compare", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def metric(*degrees: tuple[float, float]) -> np.ndarray:
    return reproject(np.array(degrees), WGS84, CRS)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A town, and what was seen of it: two roads of it, and a new one from its node 105."""
    folder = tmp_path_factory.mktemp("compare")
    (folder / "town.osm").write_text(TOWN)
    main = metric((-115.29, 36.16), (-115.288, 36.16), (-115.286, 36.16))
    ring = metric((-115.286, 36.16), (-115.286, 36.162), (-115.285, 36.161), (-115.286, 36.16))
    corner = ring[1]
    graph = empty_network(CRS)
    add_road(graph, 0, 1, main, mean_probability=0.9)
    add_road(graph, 1, 1, ring, mean_probability=0.9)
    new = [corner + (1.5, 2.0), corner - (100.0, 60.0)]
    add_road(graph, 2, 3, new, mean_probability=0.8, lanes=2)
    write_network(graph, folder / "seen.roads.gpkg")
    done = run(
        f"map={folder / 'town.osm'}", f"roads={folder / 'seen.roads.gpkg'}", f"out={folder / 'out'}"
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_layer_for_each_state_with_a_style_that_qgis_takes(files):
    package = files[0] / "out" / "compare.gpkg"
    layers = {
        name: geopandas.read_file(package, layer=name)
        for name in ("matched", "changed", "moved", "unseen", "missing")
    }
    assert {name: len(table) for name, table in layers.items()} == {
        "matched": 5, "changed": 0, "moved": 0, "unseen": 1, "missing": 1,
    }  # fmt: skip
    (unseen,) = layers["unseen"].to_dict("records")
    assert (unseen["osm_id"], unseen["highway"], unseen["surface"]) == (
        "12",
        "residential",
        "gravel",
    )
    (missing,) = layers["missing"].to_dict("records")
    assert missing["length_m"] == pytest.approx(np.hypot(101.5, 62), abs=0.1)
    assert (missing["side"], missing["rank"], missing["lanes"]) == ("roads", 1, 2)
    assert missing["confidence"] == pytest.approx(0.8, abs=0.05)
    assert layers["missing"].crs == CRS
    with sqlite3.connect(package) as database:
        rows = database.execute(
            "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML FROM layer_styles"
        ).fetchall()
    assert {row[:3] for row in rows} == {(name, "geom", 1) for name in layers}
    line_colour = ".//Option[@name='line_color']"
    colours = {
        ElementTree.fromstring(qml[qml.index("<qgis") :]).find(line_colour).get("value")
        for *_, qml in rows
    }
    assert len(colours) == 5


def test_geojson_in_degrees(files):
    content = json.loads((files[0] / "out" / "changes.geojson").read_text())
    states = sorted(f["properties"]["state"] for f in content["features"])
    assert states == ["missing", "unseen"]
    for feature in content["features"]:
        for longitude, latitude in feature["geometry"]["coordinates"]:
            assert -115.3 < longitude < -115.28 and 36.15 < latitude < 36.17


def test_missing_roads_for_josm_share_the_nodes_of_the_map(files):
    root = ElementTree.parse(files[0] / "out" / "missing.osm").getroot()
    assert (root.tag, root.get("version")) == ("osm", "0.6")
    nodes = {node.get("id"): node for node in root.findall("node")}
    known = [node for number, node in nodes.items() if int(number) > 0]
    assert [(n.get("id"), n.get("version"), n.get("action")) for n in known] == [("105", "2", None)]
    assert (float(known[0].get("lat")), float(known[0].get("lon"))) == (36.162, -115.286)
    (way,) = root.findall("way")
    references = [nd.get("ref") for nd in way.findall("nd")]
    assert references[0] == "105" and int(references[1]) < 0 and len(references) == 2
    assert int(way.get("id")) < 0 and way.get("id") not in nodes
    tags = {tag.get("k"): tag.get("v") for tag in way.findall("tag")}
    assert tags == {"highway": "road", "lanes": "2", "source": "roadex"}


def test_what_it_wrote_for_josm_is_read_as_a_map(files):
    from roadex.graph.formats import read_network

    again = read_network(files[0] / "out" / "missing.osm")
    assert again.number_of_edges() == 1


def test_figures_add_up_and_are_printed(files):
    folder, done = files
    rows = list(csv.DictReader((folder / "out" / "summary.csv").open()))
    km = {(row["state"], row["side"]): float(row["km"]) for row in rows}
    totals = json.loads((folder / "out" / "summary.json").read_text())
    assert totals["crs"] == CRS
    assert km["outside", "roads"] == 0
    assert sum(v for (_, side), v in km.items() if side == "roads") == pytest.approx(
        totals["roads_km"], abs=0.005
    )
    (row,) = [row for row in rows if row["state"] == "missing"]
    assert float(row["km_per_km2"]) == pytest.approx(
        float(row["km"]) / totals["area_km2"], rel=0.01
    )
    assert "missing   roads          1       0.119" in done.stdout
    assert "left out 1 x way with highway=footway" in done.stdout + done.stderr


def test_the_page_draws_the_pieces_and_tells_of_them(files, tmp_path):
    with browser() as page:
        page.open(files[0] / "out" / "index.html")
        assert page.complaints() == [] and page.requests() == []
        assert "The longest roads that the map lacks" in page.run("document.body.innerText")
        painted = """(() => { const c = document.getElementById("map");
            const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            const seen = new Set();
            for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255)
                seen.add([d[i], d[i + 1], d[i + 2]].join());
            return [...seen].join(" "); })()"""
        assert "213,94,0" in page.run(painted) and "0,114,178" in page.run(painted)
        page.run('document.querySelector("[value=map]").click()')
        page.settle()
        assert "213,94,0" not in page.run(painted) and "0,114,178" in page.run(painted)
        page.run('document.querySelector("[value=unseen]").click()')
        page.settle()
        assert "0,114,178" not in page.run(painted)
        moved = """(async () => {
            const { sheet, view, ask } = roadChanges;
            [sheet.cost, sheet.kept] = [1000, sheet.drawn];
            for (let i = 0; i < 4; i++) {
                view.zoom(1.1);
                ask(true);
                await new Promise(requestAnimationFrame);
            }
            return sheet.drawn === sheet.kept;
        })()"""
        assert page.run(moved)  # what is slow to paint is painted when the hand rests
        page.settle()
        assert page.run("roadChanges.sheet.drawn.scale === roadChanges.view.scale")


def test_networks_in_the_frame_of_an_image_are_compared_too(tmp_path, caplog):
    old, new = grid(3), grid(3)
    old.remove_edge(0, 1)
    for name, graph in (("old", old), ("new", new)):
        write_network(graph, tmp_path / f"{name}.json")
    paths = {"map": "old.json", "roads": "new.json", "out": "out"}
    result = compare_files(CompareConfig(**{k: str(tmp_path / v) for k, v in paths.items()}))
    assert [segment.length_m for segment in result.of("missing")] == [100]
    assert "missing.osm is left out" in caplog.text
    assert not (tmp_path / "out" / "missing.osm").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"map": "{}/none.osm"}, "none.osm: no such file"),
        ({"map": "{}/cut.osm"}, "not a complete OpenStreetMap file"),
        ({"map": "{}/elsewhere.geojson"}, "do not overlap"),
        ({"map": "{}/frame.json"}, "no coordinate system"),
        ({"map": "{}/paths.osm"}, "holds no road"),
        ({"match_m": 30.0}, "moved_m=25: must be more than match_m=30"),
        ({"area": "{}/none.gpkg"}, "none.gpkg: no such file"),
        ({"area": "{}/town.osm"}, "no polygon"),
        ({"probability": "{}/town.osm"}, "town.osm: not a readable"),
        ({"probability": "{}/bytes.tif"}, "holds values up to 204 and no probabilities"),
    ],
)
def test_bad_input_is_one_line(files, given, said, tmp_path):
    folder = files[0]
    (folder / "cut.osm").write_text(TOWN[:-200])
    far = {"type": "LineString", "coordinates": [[10.0, 50.0], [10.001, 50.0]]}
    (folder / "elsewhere.geojson").write_text(json.dumps(far))
    write_network(grid(3), folder / "frame.json")
    write_raster(folder / "bytes.tif", metric((-115.2895, 36.1603))[0])
    closed = TOWN
    for kind in ("primary", "residential", "tertiary"):
        closed = closed.replace(f'v="{kind}"', 'v="path"')
    (folder / "paths.osm").write_text(closed)
    usual = {"map": "{}/town.osm", "roads": "{}/seen.roads.gpkg", "out": str(tmp_path / "out")}
    settings = {
        key: value.format(folder) if isinstance(value, str) else value
        for key, value in (usual | given).items()
    }
    with pytest.raises(RoadexError, match=said) as refused:
        compare_files(CompareConfig(**settings))
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_refusal_ends_the_command_with_one_line(files, tmp_path):
    done = run(
        "map=nowhere.osm", f"roads={files[0] / 'seen.roads.gpkg'}", f"out={tmp_path / 'out'}"
    )
    assert done.returncode == 2
    assert done.stderr == "roadex: map=nowhere.osm: no such file\n"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A probability of road of 300 x 100 m: sure on the left, faint in the middle, then none."""
    path = tmp_path_factory.mktemp("seen") / "a.probability.tif"
    write_raster(path, (600_000, 4_000_100), scale=1 / 256, offset=0.5 / 256)
    return path


def write_raster(path, corner, scale=1.0, offset=0.0):
    rasterio = pytest.importorskip("rasterio")
    values = np.full((100, 300), 255, np.uint8)
    values[:, :100], values[:, 100:200] = 204, 25
    place = rasterio.Affine(1, 0, corner[0], 0, -1, corner[1])
    shape = {"height": 100, "width": 300, "count": 1, "dtype": "uint8", "nodata": 255}
    with rasterio.open(path, "w", driver="GTiff", crs=CRS, transform=place, **shape) as file:
        file.scales, file.offsets = (scale,), (offset,)
        file.write(values, 1)


def test_a_map_in_another_system_and_with_rows_of_no_shape(files, tmp_path, caplog):
    """The same town in Mercator metres, with two rows without a line and tags nobody knows."""
    from roadex.graph.formats import read_network

    town = tmp_path / "town.gpkg"
    write_network(read_network(files[0] / "town.osm"), town)
    table = geopandas.read_file(town, layer="roads")[["highway", "geometry"]].to_crs("EPSG:3857")
    table.loc[table.highway == "tertiary", "highway"] = "stopline"
    none = geopandas.GeoDataFrame({"highway": ["primary"] * 2}, geometry=[None, None], crs=3857)
    geopandas.pd.concat([table, none]).to_file(tmp_path / "mercator.gpkg")
    seen = str(files[0] / "seen.roads.gpkg")
    results = [
        compare_files(CompareConfig(map=str(path), roads=seen, out=str(tmp_path / path.stem)))
        for path in (tmp_path / "mercator.gpkg", files[0] / "town.osm")
    ]
    km = [[row["km"] for row in rows_of(result)] for result in results]
    assert km[0] == pytest.approx(km[1], abs=0.003)
    facts = json.loads((tmp_path / "mercator" / "summary.json").read_text())
    assert sum(facts["left_out"]["map"].values()) == 2
    assert "not understood 1 x highway=stopline" in caplog.text


def test_an_extract_that_ends_within_the_area_is_reported(files, tmp_path, caplog):
    area = shapely.box(*metric((-115.29, 36.15), (-115.28, 36.165)).ravel())
    (tmp_path / "area.geojson").write_text(
        geopandas.GeoSeries([area], crs=CRS).to_crs(WGS84).to_json()
    )
    graph = empty_network(CRS)
    add_road(graph, 0, 1, metric((-115.29, 36.16), (-115.286, 36.16)))
    add_road(graph, 2, 3, metric((-115.288, 36.152), (-115.282, 36.152)))
    write_network(graph, tmp_path / "roads.gpkg")
    paths = {"map": files[0] / "town.osm", "roads": tmp_path / "roads.gpkg"}
    paths |= {"area": tmp_path / "area.geojson", "out": tmp_path / "out"}
    compare_files(CompareConfig(**{name: str(path) for name, path in paths.items()}))
    assert "0.5 of 0.5 km missing lie beyond the outermost roads of the map" in caplog.text


def test_the_image_says_why_a_road_was_not_found(seen, tmp_path):
    corner = np.array([600_000.0, 4_000_000.0])
    old, new = empty_network(CRS), empty_network(CRS)
    for number, (x0, x1) in enumerate([(0, 100), (100, 200), (200, 300), (300, 400)]):
        add_road(old, (number, 0), (number, 1), corner + [(x0, 50), (x1, 50)])
    add_road(new, 0, 1, corner + [(0, 10), (100, 10)])
    write_network(old, tmp_path / "old.gpkg")
    write_network(new, tmp_path / "new.gpkg")
    result = compare_files(
        CompareConfig(
            map=str(tmp_path / "old.gpkg"), roads=str(tmp_path / "new.gpkg"),
            probability=str(seen), out=str(tmp_path / "out"),
        )
    )  # fmt: skip
    notes = {int(p.step[0][0]): (p.state, p.note) for p in result.segments if p.side == "map"}
    assert notes == {
        0: ("unseen", "no road found"),
        1: ("unseen", "low probability"),
        2: ("outside", "outside the image"),
        3: ("outside", "outside the image"),
    }
    confidence = {p.note: p.confidence for p in result.of("unseen")}
    assert confidence["low probability"] == pytest.approx(1 - 25.5 / 256)
    assert confidence["no road found"] == pytest.approx(1 - 204.5 / 256)
    assert result.of("missing")[0].confidence == pytest.approx(204.5 / 256)
    assert result.area.area == pytest.approx(300 * 100, rel=1e-6)


def test_only_what_lies_in_an_area_is_compared(files, tmp_path):
    folder = files[0]
    x, y = metric((-115.287, 36.1599))[0]
    area = geopandas.GeoSeries.from_wkt([shapely.box(x, y, x + 500, y + 500).wkt], crs=CRS)
    area.to_crs(WGS84).to_file(tmp_path / "area.geojson")
    paths = {"map": str(folder / "town.osm"), "roads": str(folder / "seen.roads.gpkg")}
    result = compare_files(
        CompareConfig(**paths, out=str(tmp_path / "out"), area=str(tmp_path / "area.geojson"))
    )
    assert result.area.area == pytest.approx(250_000, rel=1e-3)
    outside = sum(p.length_m for p in result.of("outside") if p.side == "map")
    assert outside == pytest.approx(180 + 90 + 222, abs=12)  # way 12 and three quarters of way 11


def test_both_sides_come_into_the_system_of_the_roads(files):
    folder = files[0]
    old, new = read_pair(str(folder / "town.osm"), str(folder / "seen.roads.gpkg"), None)
    assert old.graph["crs"] == new.graph["crs"] == CRS
    with pytest.raises(RoadexError, match="no such file"):
        read_pair("nowhere.osm", str(folder / "seen.roads.gpkg"), None)
