"""Scores of a split: pooled pixels, graphs with their counts, nothing dropped."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from roadex.config.dataset import FolderConfig
from roadex.config.labels import IGNORE
from roadex.config.metrics import AplsSettings
from roadex.data.prepare import prepare
from roadex.engine.evaluation import (
    SplitPrediction,
    TileGraphs,
    connection_scores,
    graph_rows,
    mean_class_iou,
    score_graphs,
    tile_pixels,
)
from roadex.engine.testing import report_split
from roadex.graph import DecodingSettings, GapSettings
from roadex.graph.network import empty_network, straight_network
from roadex.metrics.summary import mean_scores
from tests.support.worlds import write_folder

EMPTY, ROAD = empty_network(), straight_network([(0, 0), (200, 0)], [(0, 1)])


def test_tiles_that_cannot_be_scored_are_counted_apart():
    pairs = {"right": (ROAD, ROAD), "none": (EMPTY, EMPTY), "missed": (ROAD, EMPTY)}
    graphs = [TileGraphs(name, *pair) for name, pair in pairs.items()]
    results = score_graphs(graphs, AplsSettings())
    scores = mean_scores(results)
    assert scores["apls"] == 0.5
    assert (scores["apls/n_scored"], scores["apls/n_total"]) == (2, 3)
    rows = graph_rows(graphs, results)
    assert [row["true_length_m"] for row in rows] == [200, 0, 200]


def test_pixels_of_a_tile_leave_out_what_is_not_known():
    mask = np.zeros((10, 10), np.uint8)
    mask[:4] = 1
    mask[:, 8:] = IGNORE
    dataset = SimpleNamespace(tile=lambda name: SimpleNamespace(mask=mask))
    probability = np.zeros((10, 10), np.uint8)
    probability[2:6] = 200
    scores = tile_pixels(SplitPrediction(dataset, probability={"a": probability}), "a", 0.5)
    assert scores == pytest.approx(
        {"true_px": 32, "proposed_px": 32, "precision": 0.5, "recall": 0.5, "f1": 0.5, "iou": 1 / 3}
    )


def test_class_iou_by_hand():
    confusion = np.array([[50, 2, 0], [1, 7, 0], [0, 0, 0]])
    assert mean_class_iou(confusion) == pytest.approx(7 / 10)


def test_connections_are_counted_where_gaps_were_looked_for():
    truth = straight_network([(0, 0), (100, 0)], [(0, 1)])
    plain = straight_network([(0, 0), (100, 0)], [(0, 1)])
    assert connection_scores([TileGraphs("a", truth, plain)]) == {}
    closed = straight_network([(0, 0), (100, 0)], [(0, 1)])
    right, wrong = np.array([(40.0, 0.0), (60.0, 0.0)]), np.array([(40.0, 0.0), (40.0, 50.0)])
    closed.graph["gaps"] = [right, wrong]
    scores = connection_scores([TileGraphs("a", truth, plain), TileGraphs("b", truth, closed)])
    assert scores == {"connections": 2, "false_connections": 0.5}


@pytest.mark.parametrize("with_directions", [False, True])
def test_a_gap_is_closed_by_what_is_kept_of_the_connectivity(with_directions):
    mask = np.zeros((160, 160), np.uint8)
    mask[72:86] = 1
    tile = SimpleNamespace(mask=mask, connectivity=mask * 2)
    dataset = SimpleNamespace(
        tile=lambda name: tile,
        member=lambda name: SimpleNamespace(gsd=0.5),
        member_key=lambda name: "",
    )
    prediction = SplitPrediction(dataset, with_directions)
    road = np.where(mask, 0.95, 0.02).astype(np.float32)
    along = road.copy()
    road[:, 70:86] = 0.1  # hidden from one head
    nothing = np.zeros_like(road)
    connectivity = np.stack([1 - along, nothing, along, nothing, nothing])
    prediction.add("a", {"segmentation": np.stack([1 - road, road]), "connectivity": connectivity})
    settings = DecodingSettings(gaps=GapSettings(reach_m=20.0))
    graph = prediction.only(["a"]).graph("a", 0.5, settings)
    assert graph.number_of_edges() == (1 if with_directions else 2)
    tile.mask = np.full_like(mask, IGNORE)
    assert prediction.graph("a", 0.5, settings).number_of_edges() == 0


def noisy(image):
    """Road where an image is bright, by chance."""
    road = np.clip(image.mean(axis=2) / 255 + 0.2, 0, 1).astype(np.float32)
    ways = np.stack([1 - road, road / 4, road / 2, road / 4, 0 * road])
    return {"segmentation": np.stack([1 - road, road]), "connectivity": ways}


def test_a_city_scores_as_if_its_tiles_were_all(tmp_path):
    write_folder(tmp_path / "raw", 8)
    config = FolderConfig(raw=str(tmp_path / "raw"), cache=str(tmp_path / "cache"), workers=1)
    dataset = prepare(config, 5).with_split("all")
    names = dataset.splits["all"]
    cities = {name: "Paris" if k < 5 else "Vegas" for k, name in enumerate(names)}

    def report(tiles):
        some = replace(dataset, splits={"some": tiles}, cities=cities)
        settings = DecodingSettings(), AplsSettings(), tmp_path / "out"
        return report_split(noisy, some, "some", 0.5, *settings, pictures=0)

    whole = report(names)
    assert {row["tile"]: row["city"] for row in whole.rows} == cities
    for city in ("Paris", "Vegas"):
        alone = report([name for name in names if cities[name] == city]).scores
        assert not any(key.startswith("city/") for key in alone)
        told = {
            key.removeprefix(f"city/{city}/"): value
            for key, value in whole.scores.items()
            if key.startswith(f"city/{city}/")
        }
        assert {"f1", "relaxed_f1", "connectivity_iou", "apls/n_scored"} <= set(told)
        assert {key for key in alone if "/" not in key} <= set(told)
        assert told == pytest.approx({key: alone[key] for key in told}, nan_ok=True)
    assert whole.scores["city/Paris/f1"] != whole.scores["city/Vegas/f1"]
