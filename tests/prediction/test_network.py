"""The network of an image: where it lies, how long its roads are, and that one can route on it."""

from __future__ import annotations

import json

import geopandas
import networkx as nx
import numpy as np
import pytest
import rasterio

from roadex.errors import RoadexError
from roadex.graph.formats import read_network
from roadex.graph.network import position, total_length
from roadex.metrics import apls
from roadex.prediction.api import RoadPredictor
from tests.support.stand_ins import UTM, bright_model, ladder, picture_of, write_tif

SIDE, GSD = 400, 0.5
CORNER = (500_000.0, 5_000_000.0)
# Beside the town of Zürich, at pixels about 0.5 m wide and high.
LONGITUDE, LATITUDE = 8.5, 47.4
DEGREES = (0.5 / (111_320 * np.cos(np.radians(LATITUDE))), -0.5 / 111_180)


@pytest.fixture(scope="module")
def roads() -> RoadPredictor:
    return RoadPredictor(bright_model(GSD))


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return picture_of(ladder(), (SIDE, SIDE), GSD)


@pytest.fixture(scope="module")
def found(roads, image, tmp_path_factory):
    """The network of an image in metres, and its files."""
    path = write_tif(tmp_path_factory.mktemp("image") / "town.tif", image)
    network = roads.predict(path)
    folder = tmp_path_factory.mktemp("out")
    network.save(folder)
    return network, folder


def test_an_array_gives_the_true_network(roads, image):
    network = roads.predict(image)
    truth = ladder()
    assert network.graph is network.frame and network.crs is None
    assert network.probability.shape == (SIDE, SIDE)
    assert apls(truth, network.graph).value > 0.98
    assert network.summary["junctions"] == 3 and network.summary["dead_ends"] == 1
    assert network.summary["road_km"] == pytest.approx(total_length(truth) / 1000, rel=0.02)
    edges = [data for *_, data in network.graph.edges(data=True)]
    assert all(0.9 < data["mean_probability"] <= 1 for data in edges)
    assert all(data["width_m"] == pytest.approx(7, abs=1) for data in edges)


def test_one_routes_between_two_points(found):
    """From the end of the upper street's first rung round the ladder to the dead end."""
    network, _ = found
    truth = ladder()
    places = [np.add(CORNER, np.multiply(position(truth, node), (1, -1))) for node in (1, 6)]
    route = network.route(*map(tuple, places))
    expected = nx.shortest_path_length(truth, 1, 6, weight="length")
    assert route.length_m == pytest.approx(expected, rel=0.02)
    for end, place in zip((route.line[0], route.line[-1]), places, strict=True):
        assert np.hypot(*(end - place)) < 4
    steps = np.hypot(*np.diff(route.line, axis=0).T)
    assert steps.sum() == pytest.approx(route.length_m, rel=1e-6)


def test_every_file_holds_the_same_network(found):
    network, folder = found
    for name in ("town.roads.gpkg", "town.graphml", "town.roads.geojson"):
        again = read_network(folder / name)
        assert again.graph["crs"] == UTM
        assert sorted(again.edges(keys=True)) == sorted(network.graph.edges(keys=True))
        assert total_length(again) == pytest.approx(total_length(network.graph), abs=1e-6)
    pixels = read_network(folder / "town.csv", gsd=GSD)
    assert total_length(pixels) == pytest.approx(total_length(network.frame), abs=1e-6)


def test_plain_networkx_routes_on_the_graphml(found):
    network, folder = found
    graph = nx.read_graphml(folder / "town.graphml", force_multigraph=True)
    assert graph.number_of_edges() == network.graph.number_of_edges()
    first, *_, last = graph.nodes
    length = nx.shortest_path_length(graph, first, last, weight="length")
    names = {str(node): node for node in network.graph}
    expected = nx.shortest_path_length(network.graph, names[first], names[last], weight="length")
    assert length == pytest.approx(expected)


def test_a_gis_opens_the_vectors_with_their_attributes(found):
    _, folder = found
    wanted = {"length_m", "mean_probability", "width_m", "u", "v"}
    package = geopandas.read_file(folder / "town.roads.gpkg", layer="roads")
    text = geopandas.read_file(folder / "town.roads.geojson")
    assert package.crs == UTM and text.crs == "EPSG:4326"
    assert wanted <= set(package) and wanted <= set(text)
    np.testing.assert_allclose(package.length, package.length_m, rtol=1e-9)
    distances = text.to_crs(UTM).geometry.distance(package.geometry)
    assert distances.max() < 1e-3


def test_the_probability_lies_on_the_image(found, image):
    _, folder = found
    with rasterio.open(folder / "town.probability.tif") as file:
        assert file.shape == (SIDE, SIDE) and file.crs == UTM
        assert (file.transform.c, file.transform.f) == CORNER and file.profile["tiled"]
        levels = file.read(1) * file.scales[0] + file.offsets[0]
    assert ((levels > 0.5) == (image[..., 0] > 130)).all()


def test_pictures_are_written(found):
    _, folder = found
    with rasterio.open(folder / "town.png") as picture:
        assert picture.count == 3 and picture.shape == (SIDE, SIDE)
    page = (folder / "town.html").read_text()
    assert "EPSG:32632" in page and "km of road" in page


@pytest.mark.parametrize(
    ("crs", "corner", "step", "stretch"),
    [
        ("EPSG:4326", (LONGITUDE, LATITUDE), DEGREES, 1),
        # Web Mercator counts 1 / cos(latitude) "metres" to the metre.
        ("EPSG:3857", (946_000.0, 6_004_000.0), (0.7375, -0.7375), 0.4999 / 0.7375),
    ],
)
def test_lengths_are_metres_on_the_ground(crs, corner, step, stretch, roads, image, tmp_path):
    path = write_tif(tmp_path / "town.tif", image, crs=crs, corner=corner, step=step)
    network = roads.predict(path)
    true_km = total_length(ladder()) / 1000
    assert network.summary["road_km"] == pytest.approx(true_km, rel=0.02)
    assert network.crs == ("EPSG:32632" if crs == "EPSG:4326" else crs)
    network.save(tmp_path / "out")
    table = geopandas.read_file(tmp_path / "out" / "town.roads.gpkg", layer="roads")
    assert table.length_m.sum() / 1000 == pytest.approx(true_km, rel=0.02)
    ground = geopandas.read_file(tmp_path / "out" / "town.roads.geojson").to_crs("EPSG:32632")
    assert ground.length.sum() / 1000 == pytest.approx(true_km, rel=0.02)
    np.testing.assert_allclose(table.length * stretch, table.length_m, rtol=0.005)


def test_other_pixel_sizes_are_resampled_and_results_stay_on_the_image(image, tmp_path):
    path = write_tif(tmp_path / "town.tif", image)
    network = RoadPredictor(bright_model(0.8)).predict(path)
    assert "pixels of 0.5 x 0.5 m are resampled to the 0.8 m" in network.notes[0]
    assert network.probability.shape == (250, 250)
    assert network.summary["road_km"] == pytest.approx(total_length(ladder()) / 1000, rel=0.03)
    network.save(tmp_path / "out", ["probability"])
    with rasterio.open(tmp_path / "out" / "town.probability.tif") as file:
        found = file.read(1) >= 128
    assert file.shape == (SIDE, SIDE)
    truth = image[..., 0] > 130
    assert (found & truth).sum() / (found | truth).sum() > 0.85
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["town.probability.tif"]


def test_without_a_georeference_files_hold_pixels_and_say_so(roads, image, tmp_path):
    network = roads.predict(image)
    assert "no coordinate system: coordinates are pixels" in network.notes[0]
    network.save(tmp_path)
    content = json.loads((tmp_path / "array.roads.geojson").read_text())
    assert content["roadex"]["units"] == "px"
    system = geopandas.read_file(tmp_path / "array.roads.geojson").crs
    assert not system.is_geographic and "y down" in system.name
    points = np.concatenate([f["geometry"]["coordinates"] for f in content["features"]])
    assert points.max() > SIDE * GSD
    for name in ("array.roads.geojson", "array.graphml"):
        again = read_network(tmp_path / name)
        assert apls(network.frame, again).value == pytest.approx(1)
    table = geopandas.read_file(tmp_path / "array.roads.gpkg", layer="roads")
    np.testing.assert_allclose(table.length * GSD, table.length_m, rtol=1e-9)


def test_a_loaded_model_says_in_a_line_what_it_is(roads):
    assert repr(roads).startswith("RoadPredictor(") and len(repr(roads).splitlines()) == 1


def test_no_road_gives_empty_files_that_open(roads, tmp_path):
    dark = write_tif(tmp_path / "sea.tif", np.full((90, 80, 3), 30, np.uint8))
    network = roads.predict(dark)
    network.save(tmp_path / "out")
    assert network.summary["road_km"] == 0 and network.summary["components"] == 0
    assert len(geopandas.read_file(tmp_path / "out" / "sea.roads.gpkg", layer="roads")) == 0
    assert len(geopandas.read_file(tmp_path / "out" / "sea.roads.geojson")) == 0
    for name in ("sea.roads.gpkg", "sea.graphml", "sea.roads.geojson"):
        assert read_network(tmp_path / "out" / name).number_of_edges() == 0
    with pytest.raises(RoadexError, match="sea: no road was found"):
        network.route((0, 0), (1, 1))


def test_pixels_without_data_have_no_road(roads, image, tmp_path):
    alpha = np.full((SIDE, SIDE, 1), 255, np.uint8)
    alpha[:, 200:] = 0
    pixels = np.concatenate([image, alpha], axis=2)
    path = write_tif(tmp_path / "half.tif", pixels, photometric="rgb", alpha="yes")
    network = roads.predict(path)
    x = np.concatenate([line[:, 0] for *_, line in network.frame.edges(data="geometry")])
    assert x.max() <= 100.5
    assert network.summary["area_km2"] == pytest.approx(0.02, rel=1e-3)
    network.save(tmp_path / "out", ["probability"])
    with rasterio.open(tmp_path / "out" / "half.probability.tif") as file:
        assert (file.read_masks(1)[:, 200:] == 0).all() and (file.read_masks(1)[:, :200]).all()


def test_no_data_at_all_is_said(roads, tmp_path):
    empty = write_tif(tmp_path / "none.tif", np.zeros((90, 80, 3), np.uint8), nodata=0)
    network = roads.predict(empty)
    assert network.notes == ("no pixel has data, so there is no road",)
    assert network.frame.number_of_edges() == 0 and network.summary["area_km2"] == 0


def test_a_route_over_a_gap_is_refused(roads, image):
    image = image.copy()
    image[:, 195:205] = 60
    network = roads.predict(image)
    with pytest.raises(RoadexError, match="no road leads from"):
        network.route((40, 50), (160, 50))


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (17, 5)])
def test_images_smaller_than_anything_work(roads, size, tmp_path):
    network = roads.predict(np.full((*size, 3), 200, np.uint8))
    network.save(tmp_path)
    assert network.probability.shape == size
