"""APLS on cases counted by hand, its properties, and networks that are empty or odd."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.errors import RoadexError
from roadex.graph.network import add_road, empty_network, straight_network
from roadex.metrics import PRESETS, AplsSettings, apls
from roadex.metrics import distances as distances_module
from roadex.metrics.apls import routes as routes_module
from tests.support.networks import grid, line, moved, networks, split, square

STRICT = PRESETS["strict"]
FAST = settings(max_examples=40, deadline=None)


def test_missing_half_of_a_road_by_hand():
    # Truth: 0..100 m, control points at 0, 100 and 50. Proposal: 0..50 m, points at 0, 50 and 25.
    score = apls(line((0, 0), (100, 0)), line((0, 0), (50, 0)))
    # Of the truth's six routes the two between 0 and 50 are right; 100 snaps to nothing.
    assert score.truth_to_proposal == pytest.approx(2 / 6)
    assert score.proposal_to_truth == pytest.approx(1)
    assert score.value == pytest.approx(0.5)
    assert score.forward.missing_points == 1
    assert (score.forward.routes, score.forward.missing_routes) == (6, 4)


def test_a_detour_costs_its_relative_length():
    truth = square(30)
    proposal = straight_network([(0, 0), (30, 0), (30, 30), (0, 30)], [(0, 1), (1, 2), (2, 3)])
    score = apls(truth, proposal, AplsSettings(delta=0, renaming=False))
    # Only the closed side differs: 30 m became 90 m, a cost of min(1, 2), both ways of 12 routes.
    assert score.truth_to_proposal == pytest.approx(1 - 2 / 12)
    # The other way the closing side makes 90 m into 30 m, a cost of 2 / 3.
    assert score.proposal_to_truth == pytest.approx(1 - (2 / 12) * (2 / 3))


def test_routes_below_the_minimum_are_left_out():
    truth = line((0, 0), (8, 0))
    assert apls(truth, truth, AplsSettings(min_path=10)).forward.routes == 0
    assert apls(truth, truth, AplsSettings(min_path=5)).value == 1


def test_a_later_point_takes_over_a_node_only_with_renaming():
    # Two parallel dead ends 1 m apart in the truth end beside one node of the proposal.
    truth = straight_network([(0, 0), (30, 1), (0, 2), (-30, 1)], [(0, 1), (2, 3)])
    proposal = straight_network([(-30, 1), (0, 1), (30, 1)], [(0, 1), (1, 2)])
    nodes_only = AplsSettings(delta=0)
    with_it = apls(truth, proposal, nodes_only).forward
    without = apls(truth, proposal, replace(nodes_only, renaming=False)).forward
    assert (with_it.missing_points, with_it.overtaken_points) == (1, 1)
    assert (without.missing_points, without.overtaken_points) == (0, 0)


@pytest.mark.parametrize("name", PRESETS)
def test_empty_networks_follow_one_rule(name):
    nothing, road = empty_network(), grid(3)
    assert math.isnan(apls(nothing, nothing, PRESETS[name]).value)
    for pair in ((road, nothing), (nothing, road)):
        score = apls(*pair, PRESETS[name])
        assert (score.value, score.truth_to_proposal, score.proposal_to_truth) == (0, 0, 0)


def test_nodes_without_roads_are_empty_too():
    lonely = straight_network([(0, 0), (5, 5)], [])
    assert math.isnan(apls(lonely, lonely).value)
    assert apls(line((0, 0), (100, 0)), lonely).value == 0


@pytest.mark.parametrize("name", PRESETS)
@FAST
@given(graph=networks())
def test_identical_networks_score_one(name, graph):
    score = apls(graph, graph, PRESETS[name])
    if score.forward.routes:
        # Points that meet in one place displace each other in the presets that say so.
        least = 1 - 1e-9 if name == "strict" else 0
        assert least <= score.value <= 1 + 1e-9


@FAST
@given(truth=networks(), proposal=networks())
def test_swapping_swaps_the_directions(truth, proposal):
    one, other = apls(truth, proposal), apls(proposal, truth)
    assert one.truth_to_proposal == pytest.approx(other.proposal_to_truth, abs=1e-12)
    assert one.proposal_to_truth == pytest.approx(other.truth_to_proposal, abs=1e-12)
    assert one.value == pytest.approx(other.value, abs=1e-12)
    assert 0 <= one.value <= 1


@FAST
@given(graph=networks(), noise=st.integers(0, 1000), dx=st.integers(-900, 900))
def test_moving_both_changes_nothing(graph, noise, dx):
    rng = np.random.default_rng(noise)
    shift = rng.uniform(-3, 3, 2)
    proposal = moved(graph, *shift)
    near = apls(graph, proposal, STRICT)
    far = apls(moved(graph, dx, 512.0), moved(proposal, dx, 512.0), STRICT)
    assert near.value == pytest.approx(far.value, abs=1e-6)


@FAST
@given(graph=networks(), share=st.floats(0.2, 0.8))
def test_splitting_roads_changes_nothing_where_roads_run_through(graph, share):
    through = replace(STRICT, merge_degree_two=True)
    proposal = moved(graph, 1.5, -0.5)
    whole = apls(graph, proposal, through)
    cut = apls(split(graph, share), proposal, through)
    assert cut.value == pytest.approx(whole.value, abs=1e-6)


def test_a_shift_beyond_the_snap_distance_scores_nothing():
    truth = grid(4)
    assert apls(truth, moved(truth, 8, 6)).value == 0
    assert apls(truth, moved(truth, 8, 6), replace(STRICT, snap=12.0)).value > 0.9


def test_blocks_and_block_wise_dijkstra_change_nothing(monkeypatch):
    truth, proposal = grid(7), moved(grid(7), 2, 1)
    whole = apls(truth, proposal)
    monkeypatch.setattr(routes_module, "BLOCK", 7)
    monkeypatch.setattr(routes_module.route_blocks, "__defaults__", (7,))
    monkeypatch.setattr(distances_module, "FULL_MATRIX", 0)
    assert apls(truth, proposal).value == pytest.approx(whole.value, abs=1e-12)


def test_odd_networks_are_scored():
    odd = grid(3)
    add_road(odd, 0, 1, [(0, 0), (50, 20), (100, 0)])  # parallel to a straight one
    add_road(odd, 4, 4, [(100, 100), (110, 100), (110, 110), (100, 110), (100, 100)])
    add_road(odd, 2, "twin", [(200, 0), (200, 0)])  # no length, a node where one is already
    odd.add_node("lonely", x=5.0, y=500.0)
    add_road(odd, "far", "away", [(900, 900), (950, 900)])  # another part
    assert apls(odd, odd, STRICT).value == pytest.approx(1, abs=1e-9)
    assert apls(odd, grid(3), STRICT).value > 0


def test_broken_coordinates_are_left_out():
    broken = grid(3)
    broken.add_node("nowhere", x=float("nan"), y=0.0)
    broken.add_edge(0, "nowhere", geometry=np.array([(0, 0), (np.nan, 0)]), length=float("nan"))
    broken.add_edge(0, 1, geometry=np.array([(0.0, 0.0)]), length=0.0)
    assert apls(broken, grid(3)).value == 1


def test_crossing_roads_without_a_node_do_not_connect():
    crossing = straight_network([(-50, 0), (50, 0), (0, -50), (0, 50)], [(0, 1), (2, 3)])
    joined = straight_network(
        [(-50, 0), (50, 0), (0, -50), (0, 50), (0, 0)], [(0, 4), (1, 4), (2, 4), (3, 4)]
    )
    assert apls(joined, crossing).truth_to_proposal < 0.5


def test_a_sample_is_seeded_and_near_the_whole():
    truth, proposal = grid(8), moved(grid(8), 2, 1)
    sampled = replace(STRICT, sample=60, seed=3)
    first, second = apls(truth, proposal, sampled), apls(truth, proposal, sampled)
    assert first.value == second.value
    assert first.forward.control_points == 60
    assert first.value == pytest.approx(apls(truth, proposal, STRICT).value, abs=0.05)


def test_a_tile_of_the_go_program_lies_where_it_is_set():
    truth = grid(4)
    everywhere = replace(PRESETS["sat2graph"], tile_origin=[-500.0, -500.0])
    outside = replace(PRESETS["sat2graph"], tile_origin=[5000.0, 0.0])
    assert apls(truth, truth, everywhere).value == 1
    assert apls(truth, truth, outside).forward.control_points == 0


@pytest.mark.parametrize(
    "wrong", [{"algorithm": "other"}, {"snap": -1}, {"tile_origin": [1.0]}, {"min_path": -2.0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(RoadexError, match=next(iter(wrong))):
        AplsSettings(**wrong)


def test_the_work_grows_with_the_connected_parts_and_not_with_their_square(monkeypatch):
    """Between parts there is no route: a file of many lone roads took minutes."""
    cells = 0
    measured = distances_module.Distances.block

    def counted(self, sources, targets):
        nonlocal cells
        result = measured(self, sources, targets)
        cells += result.size
        return result

    monkeypatch.setattr(distances_module.Distances, "block", counted)
    ends = [((0.0, 500.0 * row), (3000.0, 500.0 * row)) for row in range(40)]
    points = [point for pair in ends for point in pair]
    lone = straight_network(points, [(2 * row, 2 * row + 1) for row in range(40)])
    one = straight_network(points[:2], [(0, 1)])
    work = []
    for network in (one, lone):
        cells = 0
        assert apls(network, network, PRESETS["cosmiq"]).value == 1
        work.append(cells)
    assert work[1] < 0.3 * 40**2 * work[0]
