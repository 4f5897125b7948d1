"""Scores of attributes by length, counted by hand."""

from __future__ import annotations

import pytest

from roadex.metrics.attributes import AttributeCounts

RIGHT = {"highway": "residential", "surface": "paved", "lanes": 2, "speed_kph": 40.0}


def road(length: float, **known: object) -> dict[str, object]:
    return {"length": length, **known}


def counts() -> AttributeCounts:
    """60 m predicted rightly, 30 m of primary predicted as residential, 10 m of unknown class."""
    found = AttributeCounts()
    found.add(road(60.0, **RIGHT), RIGHT)
    found.add(road(30.0, highway="primary", speed_kph=72.0), RIGHT)
    found.add(road(10.0, surface="unpaved"), RIGHT)
    return found


def test_scores_are_shares_of_metres():
    scores = counts().scores()
    # residential: precision 60 of 90, all found: F1 0.8; primary: 0.
    assert scores["class_macro_f1"] == pytest.approx(0.4)
    assert scores["class_accuracy"] == pytest.approx(60 / 90)
    # paved: precision 60 of 70; unpaved: 0.
    assert scores["surface_macro_f1"] == pytest.approx(120 / 130 / 2)
    assert scores["lanes_macro_f1"] == scores["lanes_accuracy"] == 1.0
    assert scores["speed_error_kph"] == pytest.approx(30 * 32 / 90)
    assert scores["speed_within_10_kph"] == pytest.approx(60 / 90)
    table = counts().table()["class"]
    assert table["metres"][1][4] == 30.0 and table["f1"]["primary"] == 0.0
    assert table["f1"]["motorway"] is None, "a class that the truth lacks is not judged"


def test_ten_km_per_hour_off_is_within_ten():
    found = AttributeCounts()
    found.add(road(5.0, speed_kph=40.0), {"speed_kph": 50.0})
    found.add(road(5.0, speed_kph=40.0), {"speed_kph": 50.01})
    assert found.scores()["speed_within_10_kph"] == 0.5


def test_parts_add_up_whatever_their_order_and_survive_a_process():
    first, second = counts(), AttributeCounts()
    second.add(road(0.1 + 0.2, **RIGHT), RIGHT)
    sums = []
    for parts in ((first, second), (second, first)):
        total = AttributeCounts()
        for part in parts:
            total += AttributeCounts.of_plain(part.plain())
        sums.append(total.plain())
    assert sums[0] == sums[1]


def test_what_is_not_learnt_or_not_known_has_no_score():
    assert AttributeCounts().scores() == {} == AttributeCounts().table()
    found = AttributeCounts()
    found.add(road(5.0, **RIGHT), {"highway": "residential"})
    assert set(found.scores()) == {"class_macro_f1", "class_accuracy"}
