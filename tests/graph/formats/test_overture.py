"""Overture's segments: nested columns as tags, what is no road counted."""

from __future__ import annotations

import pytest

from roadex.graph.attributes import TAGS, is_tunnel, road_attributes, width_of
from roadex.graph.formats import read_network

geopandas = pytest.importorskip("geopandas")
pytest.importorskip("pyarrow")


def segment(number, kind, first, last, subtype="road", **more):
    from shapely.geometry import LineString

    row = dict.fromkeys(("names", "road_surface", "speed_limits", "road_flags", "width_rules"))
    ends = [{"connector_id": str(end), "at": at} for end, at in ((first, 0.0), (last, 1.0))]
    line = LineString([(-115.29 + x / 1000, 36.16 + y / 1000) for x, y in (first, last)])
    row |= {"id": number, "subtype": subtype, "class": kind, "connectors": ends, "geometry": line}
    return row | more


def test_segments_become_roads_with_the_tags_of_openstreetmap(tmp_path):
    limits = [
        {"max_speed": {"value": 15, "unit": "mph"}, "between": [0.0, 0.2]},
        {"max_speed": {"value": 25, "unit": "mph"}, "between": None},
    ]
    rows = [
        segment(
            "a", "residential", (0, 0), (1, 0), speed_limits=limits, names={"primary": "A St"},
            road_surface=[{"value": "gravel", "between": None}],
            width_rules=[{"value": 7.0, "between": None}],
        ),
        segment("b", "primary", (1, 0), (2, 0),
                access_restrictions=[{"access_type": "denied", "when": {"heading": "forward"}}],
                road_flags=[{"values": ["is_tunnel"], "between": None}]),
        segment("c", "unknown", (1, 0), (1, 1),
                road_flags=[{"values": ["is_tunnel"], "between": [0.0, 0.1]}]),
        segment("e", "footway", (1, 0), (0, 1)),
        segment("d", "standard_gauge", (0, 2), (3, 2), subtype="rail"),
    ]  # fmt: skip
    geopandas.GeoDataFrame(rows, crs=4326).to_parquet(tmp_path / "segments.parquet")
    network = read_network(tmp_path / "segments.parquet", keep_apart=TAGS)
    roads = {data["overture_id"]: data for *_, data in network.edges(data=True)}
    assert set(roads) == {"a", "b", "c"} and network.number_of_nodes() == 4
    assert network.graph["dropped"] == {
        "segment of subtype rail": 1,
        "way with highway=footway": 1,
    }
    assert "oneway" not in roads["a"] and roads["b"]["oneway"] is True
    assert roads["b"]["geometry"][0, 0] > roads["b"]["geometry"][-1, 0]
    known = road_attributes(roads["a"])
    assert (known["highway"], known["surface"]) == ("residential", "gravel")
    assert known["speed_kph"] == pytest.approx(25 * 1.609344) and roads["a"]["name"] == "A St"
    assert width_of(roads["a"]) == 7
    assert [is_tunnel(roads[name]) for name in "abc"] == [False, True, False]
    assert "highway" not in road_attributes(roads["c"])


def test_roads_of_two_classes_stay_apart_whatever_the_column_is_called(tmp_path):
    """Geofabrik's Shapefiles call it fclass."""
    lines = geopandas.GeoSeries.from_wkt(["LINESTRING (0 0, 9 0)", "LINESTRING (9 0, 20 0)"])
    table = geopandas.GeoDataFrame({"fclass": ["primary", "footway"]}, geometry=lines, crs=32611)
    table.to_file(tmp_path / "roads.shp")
    network = read_network(tmp_path / "roads.shp", keep_apart=TAGS)
    assert sorted(d["fclass"] for *_, d in network.edges(data=True)) == ["footway", "primary"]
