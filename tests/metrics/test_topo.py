"""TOPO: properties, empties, and walks counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.graph.network import empty_network
from roadex.metrics import TopoSettings, topo
from roadex.metrics.roads import as_through_roads
from roadex.metrics.topo.walks import Walker
from tests.support.networks import grid, line, moved, networks, split

STRICT = TopoSettings(straight_twice=False)
FAST = settings(max_examples=15, deadline=None)


def _values(score):
    return [score.precision, score.recall]


def test_starting_points_cut_a_road_into_equal_parts():
    walker = Walker(as_through_roads(line((0, 0), (170, 0))))
    assert walker.starting_points(55.0).along.tolist() == pytest.approx([42.5, 85, 127.5])
    assert len(Walker(as_through_roads(line((0, 0), (27, 0)))).starting_points(55.0)) == 0


def test_a_walk_samples_both_ways_up_to_the_radius():
    walker = Walker(as_through_roads(line((0, 0), (100, 0))))
    found = np.sort(walker.walk(0, 40.0, radius=50.0, step=10.0).positions[:, 0])
    assert found.tolist() == pytest.approx([0, 10, 20, 30, 50, 60, 70, 80, 90])


def test_a_walk_around_a_block_samples_nothing_twice():
    walker = Walker(as_through_roads(grid(2, 100.0)))
    spots = walker.walk(0, 50.0, radius=1000.0, step=10.0)
    # The place opposite, at 200 m both ways, is one sample.
    assert len(spots) == 39
    assert len(np.unique(spots.positions.round(6), axis=0)) == 39


def test_half_a_road_by_hand():
    score = topo(line((0, 0), (1000, 0)), line((0, 0), (500, 0)), STRICT)
    # 18 starts 52.6 m apart, of which nine lie on the first half.
    assert (score.starts, score.paired) == (18, 9)
    assert score.precision == 1
    assert 0.4 < score.recall < 0.53


@FAST
@given(graph=networks())
def test_identical_networks_score_one(graph):
    score = topo(graph, graph)
    if score.starts:
        assert score.precision == pytest.approx(1) and score.f1 <= 1
        assert topo(graph, graph, STRICT).recall == pytest.approx(1)


@FAST
@given(graph=networks(), dx=st.integers(-500, 500))
def test_moving_both_changes_nothing(graph, dx):
    proposal = moved(graph, 2.0, 1.0)
    near = topo(graph, proposal, STRICT)
    far = topo(moved(graph, dx, 256.0), moved(proposal, dx, 256.0), STRICT)
    assert _values(near) == pytest.approx(_values(far), abs=0.02, nan_ok=True)


@FAST
@given(graph=networks(), share=st.floats(0.2, 0.8))
def test_splitting_roads_changes_nothing(graph, share):
    proposal = moved(graph, 2.0, 1.0)
    whole, cut = topo(graph, proposal, STRICT), topo(split(graph, share), proposal, STRICT)
    assert _values(whole) == pytest.approx(_values(cut), abs=0.02, nan_ok=True)
    assert whole.starts == cut.starts


def test_empty_networks_follow_the_rule():
    nothing, road = empty_network(), grid(3)
    assert math.isnan(topo(nothing, nothing).f1)
    assert topo(road, nothing).f1 == 0 == topo(nothing, road).f1
    assert topo(road, nothing).starts > 0
