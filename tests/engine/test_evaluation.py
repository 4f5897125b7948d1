"""Scores of a split: pooled pixels, graphs with their counts, nothing dropped."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest

from roadex.engine.evaluation import GraphScore, graph_scores, mean_class_iou

NAN = float("nan")


def graph(value: float) -> GraphScore:
    return GraphScore("tile", nx.MultiGraph(), nx.MultiGraph(), value, value, value)


def test_tiles_that_cannot_be_scored_are_counted_apart():
    scores = graph_scores([graph(0.5), graph(NAN), graph(0.0)])
    assert scores["apls"] == 0.25
    assert (scores["apls/n_scored"], scores["apls/n_total"]) == (2, 3)


def test_no_tile_with_a_road_gives_no_score():
    scores = graph_scores([graph(NAN)])
    assert math.isnan(scores["apls"]) and scores["apls/n_scored"] == 0


def test_class_iou_by_hand():
    confusion = np.array([[50, 2, 0], [1, 7, 0], [0, 0, 0]])
    assert mean_class_iou(confusion) == pytest.approx(7 / 10)
