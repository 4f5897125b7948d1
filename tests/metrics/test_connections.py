"""False connections: what joins roads that the truth keeps apart."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.graph.network import add_road, empty_network
from roadex.metrics.connections import count_false


@pytest.fixture
def truth():
    """A road along y = 0, a parallel one at y = 30, and a side road of the first at x = 100."""
    graph = empty_network()
    add_road(graph, 0, 1, [(0, 0), (100, 0)])
    add_road(graph, 1, 2, [(100, 0), (200, 0)])
    add_road(graph, 1, 3, [(100, 0), (100, -80)])
    add_road(graph, 4, 5, [(0, 30), (200, 30)])
    return graph


@pytest.mark.parametrize(
    ("line", "false"),
    [
        ([(40, 1), (60, -2)], 0),  # along one road
        ([(90, 0), (110, 0)], 0),  # through a junction
        ([(100, -20), (101, 0)], 0),  # a side road joins
        ([(50, 0), (50, 30)], 1),  # to the parallel road, which is joined nowhere
        ([(60, 0), (100, -60)], 0),  # across a corner: 100 m of road for 72 m
        ([(40, 12), (60, 0)], 1),  # begins where there is no road
    ],
)
def test_a_connection_is_false_where_the_truth_has_no_way(truth, line, false):
    assert count_false(truth, [np.array(line, dtype=float)]) == false


def test_a_long_way_round_is_no_connection(truth):
    add_road(truth, 2, 5, [(200, 0), (200, 30)])
    assert count_false(truth, [np.array([(50.0, 0.0), (50.0, 30.0)])]) == 1
    assert count_false(truth, [np.array([(185.0, 0.0), (185.0, 30.0)])]) == 0


def test_without_true_roads_every_connection_is_false():
    assert count_false(empty_network(), [np.zeros((2, 2)), np.ones((2, 2))]) == 2
    assert count_false(empty_network(), []) == 0
