"""The labels of a road's tags, in numbers and in pixels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from roadex.config.labels import ATTRIBUTE_NAMES, IGNORE
from roadex.graph.attribute_labels import (
    BIN_KPH,
    CLASSES,
    attribute_maps,
    known_attributes,
    labels_of,
    speed_bin,
)
from roadex.graph.attributes import KPH_PER_MPH, known_speed
from roadex.graph.network import add_road, empty_network, straight_network

MPH = KPH_PER_MPH


@pytest.mark.parametrize(
    ("tags", "told", "labels"),
    [
        ({"road_type": "1", "lane_number": "6", "paved": "1"},
         ("motorway", "paved", 6, 65), (0, 0, 3, 6)),
        ({"road_type": "6", "lane_numbe": "1", "paved": "2"},
         ("unclassified", "unpaved", 1, 15), (5, 1, 0, 1)),
        ({"highway": "motorway_link", "lanes": "1"}, ("motorway", None, 1, 55), (0, IGNORE, 0, 5)),
        ({"highway": ["trunk", "primary"], "maxspeed": "45 mph", "surface": "asphalt"},
         ("motorway", "paved", None, 45), (0, 0, IGNORE, 4)),
        ({"highway": "living_street", "surface": "gravel"},
         ("residential", "unpaved", None, 18.75), (4, 1, IGNORE, 1)),
        ({"highway": "service", "surface": "concrete:plates"},
         ("unclassified", "paved", None, 20), (5, 0, IGNORE, 1)),
        ({"highway": "residential", "lanes": "3;2", "surface": "unknown"},
         ("residential", None, 2, 25), (4, IGNORE, 1, 2)),
        ({"lanes": "2", "surface": "moon dust"},
         (None, None, 2, None), (IGNORE, IGNORE, 1, IGNORE)),
        ({"highway": "road", "lanes": "None"}, (None,) * 4, (IGNORE,) * 4),
        ({"highway": "footway"}, (None,) * 4, (IGNORE,) * 4),
        ({}, (None,) * 4, (IGNORE,) * 4),
    ],
)  # fmt: skip
def test_tags_as_they_are(tags, told, labels):
    found = known_attributes(tags)
    highway, surface, lanes, mph = told
    speed = None if mph is None else pytest.approx(mph * MPH)
    expected = {"highway": highway, "surface": surface, "lanes": lanes, "speed_kph": speed}
    assert found == {name: value for name, value in expected.items() if value is not None}
    assert labels_of(found) == dict(zip(ATTRIBUTE_NAMES, labels, strict=True))


@pytest.mark.parametrize("mph", [1, 10, 15, 20, 25, 30, 35, 45, 55, 65, 70, 120])
def test_a_bin_holds_the_speeds_up_to_its_end(mph):
    number = speed_bin(mph * MPH)
    assert number == min((mph - 1) // 10, 6)
    assert abs(BIN_KPH[number] - mph * MPH) <= 5 * MPH + 1e-9 or mph > 70


def test_every_spacenet_label_file_tells_what_the_published_table_says(real_data):
    """The table by the numbers of SpaceNet's own description; speeds it publishes come first."""
    table = {1: (55, 65), 2: (45, 55), 3: (35, 45), 4: (30, 35), 5: (25, 30), 6: (20, 20)}
    table[7] = (20, 20)
    roads = 0
    for path in sorted((real_data / "spacenet3").rglob("*.geojson")):
        for feature in json.loads(path.read_text())["features"]:
            tags = feature["properties"]
            if not tags.get("road_type"):
                continue
            told, kind = known_attributes(tags), int(tags["road_type"])
            lanes = int(tags.get("lane_number") or tags["lane_numbe"])
            mph = table[kind][lanes >= 3] * (1.0 if tags["paved"] == "1" else 0.75)
            assert told["highway"] == CLASSES[kind - 1] and told["lanes"] == lanes
            assert told["surface"] == {"1": "paved", "2": "unpaved"}[tags["paved"]]
            published = known_speed({**tags, "length": 1.0})
            assert told["speed_kph"] == pytest.approx(published or mph * MPH)
            roads += 1
    assert roads > 100


def crossing() -> np.ndarray:
    """A primary road over a residential one of unknown surface, on a bridge, in 40 x 60 pixels."""
    graph = straight_network([(0, 20), (60, 20), (30, 0), (30, 40)], [(0, 1), (2, 3)])
    traits = [{"highway": "residential", "lanes": 2, "speed_kph": 40.0, "layer": "1"},
              {"highway": "primary", "lanes": 5, "surface": "paved", "speed_kph": 88}]  # fmt: skip
    for (*_, data), own in zip(graph.edges(data=True), traits, strict=True):
        data.update(own, width_m=6.0)
    mask = np.zeros((40, 60), np.uint8)
    mask[18:22] = mask[:, 28:32] = 1
    mask[:, 50:] = IGNORE
    return attribute_maps(graph, mask, 1.0)


def test_labels_lie_on_the_road_and_the_upper_road_counts():
    maps = crossing()
    assert maps.shape == (4, 40, 60)
    assert (maps[:, :10, :20] == IGNORE).all(), "off roads"
    assert (maps[:, :, 50:] == IGNORE).all(), "nothing is known there"
    assert (maps[0, 18:22, :50] == CLASSES.index("residential")).all()
    assert (maps[0, :17, 28:32] == CLASSES.index("primary")).all()
    assert (maps[1, :17, 28:32] == 0).all() and (maps[1, 18:22, :50] == IGNORE).all()
    assert maps[2, 0, 30] == 3 and maps[2, 20, 30] == 1, "five lanes are four or more"
    assert maps[3, 0, 30] == 5 and maps[3, 20, 0] == 2


def test_of_one_layer_the_more_important_road_counts():
    graph = empty_network()
    for highway, y in (("primary", 10.0), ("track", 12.0)):
        line = np.array([[0.0, y], [30.0, y]])
        add_road(graph, (highway, 0), (highway, 1), line, highway=highway, width_m=8.0)
    maps = attribute_maps(graph, np.ones((20, 30), np.uint8), 1.0)
    assert (maps[0, 6:14] == CLASSES.index("primary")).all()
    assert (maps[0, 14:16] == CLASSES.index("track")).all()
