"""The picture that is looked at first."""

from __future__ import annotations

import cv2
import networkx as nx
import numpy as np
import pytest

from roadex.prediction.overview import draw_overview, round_length, small_probability
from roadex.prediction.store import open_store


@pytest.mark.parametrize(
    ("about", "length"), [(1, 1), (1.9, 1), (2.1, 2), (49, 20), (50, 50), (999, 500), (0.3, 0.2)]
)
def test_a_scale_bar_has_a_round_length(about, length):
    assert round_length(about) == pytest.approx(length)


@pytest.mark.parametrize("brightness", [25, 90, 220])
def test_roads_stand_out_from_any_picture(brightness):
    rng = np.random.default_rng(0)
    noise = rng.integers(-10, 11, (400, 500, 3))
    picture = np.clip(brightness + noise, 1, 255).astype(np.uint8)
    picture[:, 450:] = 0  # no data
    graph = nx.MultiGraph()
    line = np.array([[10.0, 100.0], [200.0, 100.0]])
    graph.add_edge(0, 1, geometry=line, mean_probability=1.0)
    drawn = draw_overview(picture, graph, (250.0, 200.0))  # half a metre per pixel
    assert 60 < np.median(drawn[:150, :450]) < 120
    assert drawn[199:201, 200].max() > 180 and not drawn[:150, 460:].any()


def test_the_bar_is_as_long_as_it_says():
    drawn = draw_overview(np.full((600, 600, 3), 90, np.uint8), nx.MultiGraph(), (60.0, 60.0))
    row = drawn[-15, :300].min(axis=1) > 240  # 10 m of 0.1 m pixels
    assert 95 <= row.sum() <= 106


@pytest.mark.parametrize("shape", [(700, 501), (90, 1000), (64, 64)])
def test_a_small_probability_is_the_mean_of_its_pixels(tmp_path, monkeypatch, shape):
    monkeypatch.setattr("roadex.prediction.overview._PIXELS_AT_ONCE", 4000)
    store = open_store(tmp_path / "store", shape, 0, False, {})
    road = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    road = cv2.GaussianBlur(road, (0, 0), 9)
    store.write(slice(0, shape[0]), road[None], None)
    small = small_probability(store, 64)
    assert max(small.shape) == 64
    expected = cv2.resize(road, small.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - expected).max() <= 4
    assert np.abs(small.astype(int) - expected).mean() < 1
