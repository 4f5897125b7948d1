"""Scores of a split: pooled pixels, graphs with their counts, nothing dropped."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.engine.evaluation import (
    TileGraphs,
    connection_scores,
    graph_rows,
    mean_class_iou,
    score_graphs,
)
from roadex.graph.network import empty_network, straight_network
from roadex.metrics.settings import AplsSettings
from roadex.metrics.summary import mean_scores

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
