"""Small and unusual networks that the references do not cover: the rules hold for them, too."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest

from roadex.graph.network import add_road, empty_network, straight_network
from roadex.metrics import PRESETS, apls, topo
from tests.support.networks import grid


def ring(radius: float) -> nx.MultiGraph:
    graph = empty_network()
    turns = np.linspace(0, 2 * np.pi, 61)
    line = 100 + radius * np.column_stack([np.cos(turns), np.sin(turns)])
    line[-1] = line[0]
    add_road(graph, 0, 0, line)
    return graph


def line(length: float, y: float = 0.0) -> nx.MultiGraph:
    return straight_network([(0, y), (length, y)], [(0, 1)])


NETWORKS = {
    **{f"line of {length} m": line(length) for length in (0.5, 1, 2, 5, 9, 20, 60, 400)},
    **{f"ring of {radius} m": ring(radius) for radius in (1, 5, 20, 60)},
    "grid": grid(4),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_network_is_its_own_equal_or_not_scored(name, preset):
    found = apls(NETWORKS[name], NETWORKS[name], PRESETS[preset])
    assert math.isnan(found.value) or found.value == pytest.approx(1)
    assert not math.isnan(apls(NETWORKS["grid"], NETWORKS["grid"], PRESETS["cosmiq"]).value)


@pytest.mark.parametrize("name", NETWORKS)
def test_topo_leaves_out_no_road(name):
    graph = NETWORKS[name]
    found = topo(graph, graph)
    assert found.precision == found.recall == found.f1 == pytest.approx(1)
    assert found.starts > 0
    nothing = empty_network()
    for pair in ((graph, nothing), (nothing, graph)):
        assert topo(*pair).f1 == 0
    assert topo(graph, line(30, y=9_000.0)).f1 == 0


@pytest.mark.parametrize("first", NETWORKS)
def test_no_score_is_above_one_or_below_zero(first):
    for second in NETWORKS.values():
        values = [topo(NETWORKS[first], second).f1]
        values += [apls(NETWORKS[first], second, settings).value for settings in PRESETS.values()]
        assert all(math.isnan(value) or 0 <= value <= 1 + 1e-12 for value in values)
