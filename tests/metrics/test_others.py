"""Length, junction, path, topology and mask metrics: hand-computed cases and properties."""

from __future__ import annotations

import math
import os
from functools import partial

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.config.metrics import TopoSettings
from roadex.errors import RoadexError
from roadex.graph.network import add_road, empty_network, straight_network
from roadex.metrics import METRICS, MetricSettings, mean_scores, score_many, score_pair
from roadex.metrics.lengths import length_within
from roadex.metrics.masks import ClDiceCounts
from roadex.metrics.roads import as_roads
from roadex.metrics.summary import Job, PairScore, pooled_scores
from tests.support.networks import grid, line, moved, networks, split, square

FAST = settings(max_examples=30, deadline=None)
NAMES = ("length", "junctions", "topology")
ONES = ("length/completeness", "length/quality", "length/ratio", "cldice", "relaxed/f1")


def test_lengths_by_hand():
    truth, proposal = line((0, 0), (100, 0)), line((50, 3), (150, 3))
    scores = score_pair(truth, proposal, MetricSettings(buffer=5), ["length"])
    # A point of the truth is found from x = 46 on, where the gap to the proposal's end is 5 m.
    assert scores["length/completeness"] == pytest.approx(0.54)
    assert scores["length/correctness"] == pytest.approx(0.54)
    assert scores["length/quality"] == pytest.approx(54 / (100 + 46))
    assert scores["length/ratio"] == pytest.approx(1)


def test_junctions_match_one_to_one():
    truth = grid(3)  # five nodes where three or four roads meet
    proposal = grid(3)
    proposal.remove_edge(1, 4)  # one crossing becomes a T, one T a mere bend
    scores = score_pair(truth, proposal, metrics=["junctions"])
    assert scores["junctions/recall"] == pytest.approx(4 / 5)
    assert scores["junctions/precision"] == 1


def test_components_and_cycles_by_hand():
    two_roads = straight_network([(0, 0), (9, 0), (0, 50), (9, 50)], [(0, 1), (2, 3)])
    scores = score_pair(square(), two_roads, metrics=["topology"])
    assert scores == {"topology/betti0_error": 1, "topology/betti1_error": 1}
    ring = empty_network()
    add_road(ring, 0, 0, [(0, 0), (9, 0), (9, 9), (0, 0)])
    assert score_pair(ring, square(), metrics=["topology"])["topology/betti1_error"] == 0


def test_paths_that_are_too_long_too_short_and_missing():
    truth, cut = square(30), square(30)
    cut.remove_edge(3, 0)
    settings_ = MetricSettings()
    settings_.apls.delta = 0.0
    longer = score_pair(truth, cut, settings_, ["paths"])
    assert longer["paths/too_long"] == pytest.approx(2 / 12)
    assert longer["paths/correct"] == pytest.approx(10 / 12)
    shorter = score_pair(cut, truth, settings_, ["paths"])
    assert shorter["paths/too_short"] == pytest.approx(2 / 12)
    nothing = score_pair(truth, empty_network(), settings_, ["paths"])
    assert nothing["paths/missing"] == 1


def test_cldice_by_hand():
    truth, proposal = np.zeros((9, 40), dtype=bool), np.zeros((9, 40), dtype=bool)
    truth[3:6, :], proposal[3:6, 20:] = True, True
    counts = ClDiceCounts.of(truth, proposal)
    assert counts.precision == 1
    assert counts.sensitivity == pytest.approx(0.5, abs=0.03)
    assert counts.value == pytest.approx(2 / 3, abs=0.03)


@FAST
@given(one=networks(5), other=networks(5), reach=st.floats(1, 60))
def test_lengths_in_a_buffer_agree_with_the_drawn_buffer(one, other, reach):
    roads, others = as_roads(one), as_roads(other)
    buffer = shapely.MultiLineString(others.lines).buffer(reach, 64)
    expected = sum(shapely.LineString(x).intersection(buffer).length for x in roads.lines)
    assert length_within(roads, others, reach) == pytest.approx(expected, rel=2e-3, abs=0.3)


@FAST
@given(graph=networks())
def test_identical_networks_are_perfect(graph):
    scores = score_pair(graph, graph, metrics=[*NAMES, "relaxed", "cldice"])
    for key in ONES:
        assert scores[key] == pytest.approx(1)
    assert scores["topology/betti0_error"] == scores["topology/betti1_error"] == 0
    assert scores["junctions/f1"] == 1 or math.isnan(scores["junctions/f1"])


@FAST
@given(truth=networks(), proposal=networks())
def test_swapping_swaps_the_directions(truth, proposal):
    one, other = (
        score_pair(*pair, metrics=NAMES) for pair in ((truth, proposal), (proposal, truth))
    )
    assert one["length/completeness"] == pytest.approx(other["length/correctness"])
    np.testing.assert_equal(one["junctions/precision"], other["junctions/recall"])
    assert one["topology/betti1_error"] == other["topology/betti1_error"]


@FAST
@given(graph=networks(), share=st.floats(0.1, 0.9))
def test_splitting_roads_and_moving_both_changes_nothing(graph, share):
    proposal = moved(graph, 3.0, 1.0)
    whole = score_pair(graph, proposal, metrics=NAMES)
    cut = score_pair(split(graph, share), proposal, metrics=NAMES)
    far = score_pair(moved(graph, 700.0, -90.0), moved(proposal, 700.0, -90.0), metrics=NAMES)
    for key, value in whole.items():
        np.testing.assert_allclose([cut[key], far[key]], value, atol=1e-6)


def test_empty_pairs_are_not_scored_and_one_empty_side_scores_zero():
    nothing, road = empty_network(), grid(3)
    assert all(math.isnan(value) for value in score_pair(nothing, nothing).values())
    for pair in ((road, nothing), (nothing, road)):
        scores = score_pair(*pair)
        for key in ("apls", "topo/f1", "length/quality", "junctions/f1", "relaxed/iou", "cldice"):
            assert scores[key] == 0, key
        assert scores["paths/correct"] == 0


def _pair(size: int):
    return grid(size), moved(grid(size), 2.0, 1.0)


def _load_three():
    return _pair(3)


def _load_empty():
    return empty_network(), empty_network()


def test_many_pairs_in_parallel_equal_one_after_the_other():
    jobs = [Job("three", _load_three), Job("empty", _load_empty), Job("again", _load_three)]
    one = score_many(jobs, MetricSettings(), workers=1)
    two = score_many(jobs, MetricSettings(), workers=2)
    assert [result.name for result in two] == ["three", "empty", "again"]
    for left, right in zip(one, two, strict=True):
        np.testing.assert_equal(left.scores, right.scores)
        assert left.counts == right.counts


def test_means_leave_out_what_is_not_scored_and_count_it():
    jobs = [Job("three", _load_three), Job("empty", _load_empty)]
    results = score_many(jobs, MetricSettings(), workers=1)
    means = mean_scores(results)
    assert means["apls"] == results[0].scores["apls"]
    assert (means["apls/n_scored"], means["apls/n_total"]) == (1, 2)
    pooled = pooled_scores(results, MetricSettings())
    assert pooled["apls"] == pytest.approx(results[0].scores["apls"])


def test_topo_of_many_tiles_is_f1_of_the_means():
    rows = [{"topo/precision": 1.0, "topo/recall": 0.5, "topo/f1": 2 / 3},
            {"topo/precision": 0.5, "topo/recall": 1.0, "topo/f1": 2 / 3}]  # fmt: skip
    means = mean_scores(PairScore(str(n), row, {}) for n, row in enumerate(rows))
    assert means["topo/f1"] == pytest.approx(0.75)


def test_every_metric_has_scores_from_its_counts():
    truth, proposal = _pair(4)
    settings_ = MetricSettings(topo=TopoSettings(radius=100.0))
    scores = score_pair(truth, proposal, settings_)
    assert {key.split("/")[0] for key in scores} == set(METRICS) - {"apls_time"}


def test_a_scoring_process_that_is_ended_is_one_line():
    jobs = [Job(name, partial(os._exit, 1)) for name in "ab"]
    with pytest.raises(RoadexError, match="set workers=1"):
        score_many(jobs, MetricSettings(), workers=2)
