"""Dual carriageways as one road, by neatnet."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import shapely

from roadex.errors import RoadexError
from roadex.graph.network import add_road, empty_network, position, straight_network, total_length
from roadex.graph.tidy import tidied

pytest.importorskip("neatnet")
STOPS = (0, 150, 300, 450, 600)


def dual_road(crs: str | None) -> nx.MultiGraph:
    """Two carriageways 12 m apart, each of one direction, crossed by five streets."""
    graph = empty_network(crs)
    for first, last in pairwise(STOPS):
        road = {"highway": "primary", "oneway": True}
        add_road(graph, (first, 0), (last, 0), [(first, 0), (last, 0)], **road)
        add_road(graph, (last, 12), (first, 12), [(last, 12), (first, 12)], **road)
    for x in STOPS:
        for y, end in ((-200, 0), (0, 12), (12, 212)):
            add_road(graph, (x, y), (x, end), [(x, y), (x, end)], highway="residential")
    for y in (-200, 212):
        for first, last in pairwise(STOPS):
            ends = [(first, y), (last, y)]
            add_road(graph, *ends, ends, highway="residential")
    return graph


@pytest.mark.parametrize("crs", ["EPSG:32633", None])
def test_two_carriageways_become_their_middle_and_streets_reach_it(crs):
    before = dual_road(crs)
    after = tidied(before)
    assert after.graph["crs"] == crs and nx.is_connected(after)
    primary = [d for *_, d in after.edges(data=True) if d.get("highway") == "primary"]
    assert sum(d["length"] for d in primary) == pytest.approx(600, rel=0.05)
    assert not any(d.get("oneway") for d in primary)
    inner = [shapely.LineString(d["geometry"]) for d in primary]
    middle = shapely.intersection(shapely.union_all(inner), shapely.box(20, -50, 580, 50))
    assert np.abs(shapely.get_coordinates(middle)[:, 1] - 6).max() < 1.5
    places = np.array([position(after, node) for node in after])
    for x in STOPS[1:-1]:
        assert np.hypot(*(places - (x, 6)).T).min() < 2
    assert total_length(before) - total_length(after) == pytest.approx(600, rel=0.1)


def test_what_encloses_nothing_stays_as_it_is():
    road = straight_network([(0, 0), (100, 0), (100, 80)], [(0, 1), (1, 2)], "EPSG:32633")
    assert tidied(road) is road
    assert not tidied(empty_network())


def test_a_failure_of_the_library_is_one_line(monkeypatch):
    import neatnet

    def fails(*_, **__):
        raise ValueError("no faces\nat all")

    monkeypatch.setattr(neatnet, "neatify", fails)
    with pytest.raises(RoadexError, match=r"neatnet cannot tidy this network \(no faces\)"):
        tidied(dual_road(None))
