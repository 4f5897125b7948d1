"""APLS_time: counted by hand, its properties, and against a plain evaluation with networkx."""

from __future__ import annotations

import itertools
from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.errors import RoadexError
from roadex.graph.formats import write_network
from roadex.graph.formats.options import ReadOptions
from roadex.graph.network import add_road, empty_network
from roadex.metrics import PRESETS, AplsSettings, apls, apls_time, score_pair
from roadex.metrics.pairing import load_pair
from tests.support.networks import grid, line, load_case, moved, networks, square

FAST = settings(max_examples=25, deadline=None)
NODES = AplsSettings(delta=0, renaming=False)


def with_speed(graph: nx.MultiGraph, kph: float) -> nx.MultiGraph:
    nx.set_edge_attributes(graph, kph, "speed_kph")
    return graph


def test_half_the_speed_costs_the_whole_route_and_none_of_apls():
    truth, proposal = with_speed(line((0, 0), (100, 0)), 36), with_speed(line((0, 0), (100, 0)), 18)
    assert apls(truth, proposal, NODES).value == 1
    score = apls_time(truth, proposal, NODES)
    # 10 s became 20 s: a cost of min(1, 10 / 10); the other way 10 of 20 s are missing.
    assert score.truth_to_proposal == pytest.approx(0)
    assert score.proposal_to_truth == pytest.approx(0.5)


def test_a_slow_side_of_a_square_is_gone_round():
    truth, proposal = with_speed(square(100), 36), with_speed(square(100), 36)
    truth.edges[0, 1, 0]["speed_kph"] = 36 / 5
    score = apls_time(truth, proposal, NODES)
    # 0-1 takes min(50, 30) = 30 s in the truth and 10 s in the proposal, a cost of 2/3; 0-2 and
    # 1-3 take 20 s in both, by the fast sides. Six pairs.
    assert score.truth_to_proposal == pytest.approx(1 - (2 / 3) / 6)
    assert score.proposal_to_truth == pytest.approx(1 - 1 / 6)


def test_points_within_roads_have_their_share_of_the_time():
    truth = with_speed(line((0, 0), (100, 0)), 36)
    proposal = with_speed(line((0, 0), (50, 0)), 18)
    score = apls_time(truth, proposal, AplsSettings(renaming=False))
    # Points at 0, 50 and 100 m; only 0-50 exists in the proposal, 5 s became 10 s: all cost 1.
    assert score.truth_to_proposal == pytest.approx(0)
    # Points at 0, 25 and 50 m: 2.5, 2.5 and 5 s became half of it.
    assert score.proposal_to_truth == pytest.approx(0.5)


def test_class_and_lanes_give_the_time():
    truth, proposal = line((0, 0), (100, 0)), line((0, 0), (100, 0))
    truth.edges[0, 1, 0].update(highway="motorway", lanes="3")
    proposal.edges[0, 1, 0].update(road_type="2", lane_number=3)
    score = apls_time(truth, proposal, NODES)
    assert score.truth_to_proposal == pytest.approx(1 - (65 / 55 - 1))


@FAST
@given(graph=networks(), kph=st.floats(5, 130))
def test_one_speed_everywhere_is_apls(graph, kph):
    strict = PRESETS["strict"]
    proposal = moved(graph, 1.5, -1)
    plain = apls(graph, proposal, strict)
    timed = apls_time(with_speed(graph.copy(), kph), with_speed(proposal, kph), strict)
    assert timed.value == pytest.approx(plain.value, abs=1e-6)


@pytest.mark.parametrize("case", ["vegas_img99", "jitter_grid_8x8"])
def test_real_graphs_with_speeds_equal_a_plain_evaluation(oracles, case):
    truth, *_ = load_case(oracles / case)
    truth = nx.convert_node_labels_to_integers(truth)
    proposal = truth.copy()
    for number, (first, second) in enumerate(
        zip(truth.edges(keys=True), proposal.edges, strict=True)
    ):
        truth.edges[first]["speed_kph"] = 20 + 7 * (number % 9)
        proposal.edges[second]["speed_kph"] = 20 + 5 * (number % 11)
    ways = []
    for graph in (truth, proposal):
        seconds = {e: d["length"] / d["speed_kph"] * 3.6 for e, d in plain_edges(graph)}
        nx.set_edge_attributes(graph, seconds, "seconds")
        ways.append(dict(nx.all_pairs_dijkstra_path_length(graph, weight="seconds")))
    expected = [mean_similarity(*pair) for pair in (ways, ways[::-1])]
    score = apls_time(truth, proposal, NODES)
    assert [score.truth_to_proposal, score.proposal_to_truth] == pytest.approx(expected, abs=1e-9)


def plain_edges(graph):
    return [((u, v, k), d) for u, v, k, d in graph.edges(keys=True, data=True)]


def mean_similarity(own, other):
    costs = [
        min(1, abs(own[a][b] - other[a][b]) / own[a][b])
        for a, b in itertools.permutations(own, 2)
        if b in own[a] and own[a][b] > 0.001
    ]
    return 1 - sum(costs) / len(costs)


def test_it_is_a_metric_by_name_and_only_with_the_published_algorithm():
    truth = grid(3)
    scores = score_pair(truth, truth, metrics=["apls", "apls_time"])
    assert scores["apls_time"] == scores["apls"] == 1
    with pytest.raises(RoadexError, match="apls=cosmiq"):
        apls_time(truth, truth, replace(NODES, algorithm="sat2graph"))


def test_tags_that_no_rule_knows_are_named(tmp_path, caplog):
    graph = empty_network("EPSG:32633")
    add_road(graph, 0, 1, [(0, 0), (100, 0)], highway="residential", maxspeed="fast")
    write_network(graph, tmp_path / "truth.geojson")
    load_pair(tmp_path / "truth.geojson", None, ReadOptions(timed=True))
    assert "truth.geojson: not understood 1 x maxspeed=fast" in caplog.text
    caplog.clear()
    load_pair(tmp_path / "truth.geojson", None, ReadOptions())
    assert not caplog.text
