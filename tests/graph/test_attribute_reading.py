"""Attributes read along the lines of roads, from arrays and files, for graphs and tables."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.config.labels import ATTRIBUTE_NAMES
from roadex.graph.attribute_labels import CHANNELS, CLASSES, VALUES, spans
from roadex.graph.attribute_reading import AttributeMaps, attribute_means, with_attributes
from roadex.graph.attributes import KPH_PER_MPH, table_speed
from roadex.graph.formats import geopackage, read_network, write_network, write_table
from roadex.graph.network import straight_network
from roadex.graph.road_table import RoadTable, table_of
from roadex.graph.routing import shortest_route

PIXEL = (0.5, 0.5)


def planes_of(upper: dict[str, int], lower: dict[str, int]) -> np.ndarray:
    """Planes of 80 x 120 pixels that are certain of a value of each attribute in each half."""
    planes = np.zeros((CHANNELS, 80, 120), np.uint8)
    for half, values in ((slice(0, 40), upper), (slice(40, 80), lower)):
        for name, index in values.items():
            planes[spans()[name].start + index, half] = 255
    return planes


SLOW = {"class": 4, "surface": 1, "lanes": 0, "speed": 1}
FAST = {"class": 1, "surface": 0, "lanes": 3, "speed": 5}
PLANES = planes_of(SLOW, FAST)
ROAD = np.full((80, 120), 255, np.uint8)
MAPS = AttributeMaps(lambda: PLANES, lambda: ROAD, PIXEL)


def street() -> object:
    """Two roads of 50 m, one in each half, and one of 20 m across, mostly in the lower."""
    places = [(5, 10), (55, 10), (5, 30), (55, 30), (30, 18), (30, 38)]
    return straight_network(places, [(0, 1), (2, 3), (4, 5)])


def test_each_road_has_what_its_pixels_say():
    roads = with_attributes(street(), MAPS, ATTRIBUTE_NAMES)
    slow, fast, across = (data for *_, data in roads.edges(data=True))
    assert (slow["highway"], slow["lanes"], slow["surface"]) == ("residential", 1, "unpaved")
    assert (fast["highway"], fast["lanes"], fast["surface"]) == ("primary", 4, "paved")
    assert slow["speed_kph"] == pytest.approx(15 * KPH_PER_MPH)
    assert fast["speed_kph"] == pytest.approx(55 * KPH_PER_MPH)
    assert fast["travel_time_s"] == pytest.approx(50 / fast["speed_kph"] * 3.6)
    assert min(slow["highway_confidence"], fast["speed_confidence"]) > 0.99
    assert across["highway"] == "primary" and across["highway_confidence"] == pytest.approx(
        0.9, 0.03
    )


def test_where_the_road_is_hidden_little_is_believed():
    road = ROAD.copy()
    road[40:] = 0
    maps = AttributeMaps(lambda: PLANES, lambda: road, PIXEL)
    *_, across = (data for *_, data in with_attributes(street(), maps, ("class",)).edges(data=True))
    assert across["highway"] == "residential" and across["highway_confidence"] > 0.9
    assert "lanes" not in across and "surface" not in across


@pytest.mark.parametrize("names", [("class",), ("class", "lanes"), ("class", "surface", "lanes")])
def test_speeds_that_are_not_learnt_are_those_of_the_table(names):
    roads = with_attributes(street(), MAPS, names)
    for *_, data in roads.edges(data=True):
        known = [data.get(name) for name in ("highway", "lanes", "surface")]
        assert data["speed_kph"] == table_speed(*known)
        confidences = [
            data[f"{n}_confidence"] for n in ("highway", "lanes", "surface") if n in data
        ]
        assert data["speed_confidence"] == min(confidences)
        assert data["travel_time_s"] == pytest.approx(data["length"] / data["speed_kph"] * 3.6)


def test_surface_alone_tells_no_speed():
    roads = with_attributes(street(), MAPS, ("surface",))
    assert all("speed_kph" not in data for *_, data in roads.edges(data=True))


def many_roads(count: int = 60) -> RoadTable:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, (60, 40), (2 * count, 2))
    return table_of(straight_network(places, [(2 * i, 2 * i + 1) for i in range(count)]))


def test_parts_and_tables_give_what_the_whole_graph_gives(monkeypatch):
    noise = np.random.default_rng(1).integers(0, 256, (CHANNELS, 40, 60)).astype(np.uint8)
    road = np.random.default_rng(2).integers(0, 256, (80, 120)).astype(np.uint8)
    maps = AttributeMaps(lambda: noise, lambda: road, PIXEL, step=2)
    table = many_roads()
    whole = with_attributes(table.graph(), maps, ATTRIBUTE_NAMES)
    monkeypatch.setattr("roadex.graph.attribute_reading._SAMPLES_AT_ONCE", 500)
    monkeypatch.setattr("roadex.graph.attribute_reading._BLOCK_PX", 16)
    parts = with_attributes(table, maps, ATTRIBUTE_NAMES)
    assert isinstance(parts, RoadTable)
    for (*_, one), (*_, other) in zip(
        whole.edges(data=True), parts.graph().edges(data=True), strict=True
    ):
        assert {k: v for k, v in one.items() if k != "geometry"} == {
            k: v for k, v in other.items() if k != "geometry"
        }
        assert isinstance(other["lanes"], int) and other["surface"] in VALUES["surface"]


def test_means_do_not_depend_on_the_other_lines():
    noise = np.random.default_rng(1).integers(0, 256, (CHANNELS, 80, 120)).astype(np.uint8)
    maps = AttributeMaps(lambda: noise, lambda: ROAD, PIXEL)
    table = many_roads(20)
    lines = [table.line(i) for i in range(len(table))]
    together = attribute_means(lines, maps)
    alone = np.concatenate([attribute_means([line], maps) for line in lines])
    assert np.allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".graphml", ".parquet", ".fgb"])
def test_files_keep_the_columns_and_routes_use_them(tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    # A fast way round and a slow way straight on.
    places = [(2, 10), (58, 10), (2, 38), (58, 38)]
    graph = straight_network(places, [(0, 1), (0, 2), (2, 3), (3, 1)])
    graph.graph["crs"] = "EPSG:32632"
    roads = with_attributes(graph, MAPS, ATTRIBUTE_NAMES)
    write_network(roads, tmp_path / f"a{suffix}")
    again = read_network(tmp_path / f"a{suffix}")
    for *_, data in again.edges(data=True):
        assert data["highway"] in CLASSES and int(data["lanes"]) in (1, 4)
        assert data["surface"] in ("paved", "unpaved") and 0 < data["speed_confidence"] <= 1
    if suffix in (".gpkg", ".parquet", ".fgb"):
        own = with_attributes(table_of(graph), MAPS, ATTRIBUTE_NAMES)
        write_table(own, tmp_path / f"b{suffix}")
        table = read_network(tmp_path / f"b{suffix}")
        kinds = sorted(data["highway"] for *_, data in again.edges(data=True))
        assert sorted(data["highway"] for *_, data in table.edges(data=True)) == kinds
        (layer,) = {int(data["lanes"]) for *_, data in table.edges(data=True)} - {4}
        assert layer == 1
    if suffix == ".gpkg":
        ways = [shortest_route(again, (2, 10), (58, 10), 1.0, w) for w in ("length", "travel_time")]
        assert ways[0].length_m == pytest.approx(56, abs=0.1)
        assert ways[1].length_m > 100 and ways[1].travel_time_s < ways[0].travel_time_s
        assert geopackage.load_geopandas().read_file(tmp_path / "b.gpkg").lanes.dtype == np.int64


def test_no_road_is_no_road():
    empty = straight_network([(0, 0), (1, 1)], [])
    assert with_attributes(empty, MAPS, ATTRIBUTE_NAMES).number_of_edges() == 0
    table = with_attributes(table_of(empty), MAPS, ATTRIBUTE_NAMES)
    assert len(table) == 0 and "highway" in table.attributes
