"""Tags as they really are, and the speeds that follow from them."""

from __future__ import annotations

import pytest

from roadex.graph.attributes import (
    described,
    highway_of,
    is_tunnel,
    lanes_of,
    road_attributes,
    speed_of,
    surface_of,
    table_speed,
    unclear_tags,
    width_of,
)
from roadex.graph.formats import read_network
from roadex.graph.network import add_road, empty_network

MPH = 1.609344


@pytest.mark.parametrize(
    ("tag", "kph"),
    [
        ("30 mph", 30 * MPH), ("50", 50), (50, 50), (50.0, 50), ("50 km/h", 50), ("50;30", 40),
        (["30 mph", "50 mph"], 40 * MPH), ("['30 mph', '50 mph']", 40 * MPH), ("RO:urban", 50),
        ("GB:nsl_dual", 70 * MPH), ("walk", 7), ("10 knots", 18.52), ("signals", None),
        ("None", None), (None, None), (float("nan"), None), ("", None), ("none", None),
        ("0", None), ("99999", None), ("30 furlongs", None), (["signals", "40"], 40),
    ],
)  # fmt: skip
def test_maxspeed(tag, kph):
    assert speed_of(tag) == (None if kph is None else pytest.approx(kph))


@pytest.mark.parametrize(
    ("tag", "lanes"),
    [("2", 2), (3, 3), (["2", "3"], 2), ("3;2", 2), ("2.0", 2), ("1.5", 1), ("None", None),
     ("many", None), (None, None), ("-1", None), ("400", None)],
)  # fmt: skip
def test_lanes(tag, lanes):
    assert lanes_of(tag) == lanes


@pytest.mark.parametrize(
    ("tag", "metres"),
    [("7", 7), ("7,5 m", 7.5), (6.0, 6), ("24 ft", 7.3152), ("24'6\"", 7.4676), ("24'", 7.3152),
     ("wide", None), ("0", None), ("7 lanes", None), ("1000", None), (None, None)],
)  # fmt: skip
def test_width(tag, metres):
    assert width_of({"width": tag}) == (None if metres is None else pytest.approx(metres))


def test_tags_that_no_rule_understands_are_counted():
    graph = empty_network()
    good = {"highway": "primary_link", "maxspeed": "30 mph", "lanes": "2;3", "width": "7 m"}
    for number, tags in enumerate(
        [good, {}, {"highway": "tracks", "maxspeed": "signals"}, {"lanes": "many", "width": "wide"}]
    ):
        add_road(graph, number, number + 1, [(0, number), (9, number)], **tags)
    assert set(unclear_tags(graph)) == {
        "highway=tracks", "maxspeed=signals", "lanes=many", "width=wide",
    }  # fmt: skip


def test_class_and_surface_from_either_source():
    assert highway_of({"highway": ["primary", "residential"]}) == "primary"
    assert highway_of({"road_type": "5"}) == highway_of({"road_type": 5.0}) == "residential"
    assert highway_of({"road_type": "Motorway"}) == "motorway"
    assert highway_of({"highway": "None", "road_type": "7"}) == "track"
    assert highway_of({}) is highway_of({"class": 3}) is None
    assert surface_of({"surface": "Asphalt"}) == "asphalt"
    assert [surface_of({"paved": paved}) for paved in ("1", 2, 3, None)] == [
        "paved", "unpaved", None, None,
    ]  # fmt: skip
    assert [is_tunnel({"tunnel": t}) for t in ("yes", "culvert", "no", None)] == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("road", "mph"),
    [
        (("motorway", 2), 55), (("motorway", 3), 65), (("primary", 4), 55), (("primary",), 45),
        (("secondary", 1), 35), (("tertiary", 3), 35), (("residential", 2), 25),
        (("residential", 3), 30), (("unclassified", 5), 20), (("track",), 20), ((None,), 20),
        (("motorway_link", 3), 65), (("trunk",), 55), (("service",), 20),
        (("residential", 2, "gravel"), 18.75), (("residential", 2, "asphalt"), 25),
    ],
)  # fmt: skip
def test_the_published_table(road, mph):
    assert table_speed(*road) == pytest.approx(mph * MPH)


def test_what_tells_more_decides():
    road = {"highway": "residential", "maxspeed": "40 mph", "length": 100.0}
    assert road_attributes(road)["speed_kph"] == pytest.approx(40 * MPH)
    assert road_attributes(road | {"inferred_speed_mps": 10})["speed_kph"] == pytest.approx(36)
    assert road_attributes(road | {"travel_time_s": 20.0})["speed_kph"] == pytest.approx(18)
    assert road_attributes({"highway": "residential", "maxspeed": "None"})["speed_kph"] == 25 * MPH


def test_roads_are_described_in_a_copy():
    graph = empty_network()
    add_road(graph, 0, 1, [(0, 0), (100, 0)], highway="primary", lanes="['3', '4']", name="A 1")
    add_road(graph, 1, 2, [(100, 0), (100, 50)], lanes="None", surface="None")
    first, second = (data for *_, data in described(graph).edges(data=True))
    assert (first["highway"], first["lanes"], first["name"]) == ("primary", 3, "A 1")
    assert first["travel_time_s"] == pytest.approx(100 / (55 * 0.44704))
    assert not {"highway", "lanes", "surface"} & set(second)
    assert second["travel_time_s"] == pytest.approx(50 / (20 * 0.44704))
    assert graph.edges[0, 1, 0]["lanes"] == "['3', '4']"


def test_the_labels_of_spacenet_have_the_speeds_of_the_table(real_data):
    """The speeds that this file came with are of the table too, but for two lanes everywhere."""
    folder = real_data / "spacenet3" / "AOI_2_Vegas" / "geojson" / "spacenetroads"
    network = read_network(folder / "AOI_2_Vegas_img0.geojson")
    seen = set()
    for *_, data in network.edges(data=True):
        bare = {k: v for k, v in data.items() if not k.startswith(("speed", "inferred"))}
        two = bare | {"lane_number": 2}
        assert road_attributes(two)["speed_kph"] == pytest.approx(data["speed_mph"] * MPH)
        assert road_attributes(data)["speed_kph"] == pytest.approx(data["speed_mph"] * MPH)
        seen.add(
            (
                bare["road_type"],
                bare["lane_number"],
                round(road_attributes(bare)["speed_kph"] / MPH),
            )
        )
    assert seen == {("6", "1", 20), ("6", "2", 20), ("2", "3", 55)}
