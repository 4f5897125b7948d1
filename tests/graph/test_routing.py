"""Routes begin and end on roads, not only at their nodes, and only near them."""

from __future__ import annotations

import networkx as nx
import pytest

from roadex.errors import RoadexError
from roadex.graph.network import add_road, position, straight_network
from roadex.graph.routing import shortest_route


@pytest.fixture()
def square():
    """A square of 100 m with a road of 50 m to its east."""
    corners = [(0, 0), (100, 0), (100, 100), (0, 100), (150, 0)]
    return straight_network(corners, [(0, 1), (1, 2), (2, 3), (3, 0), (1, 4)], "EPSG:32611")


def test_a_route_snaps_onto_the_middle_of_roads(square):
    route = shortest_route(square, (50, 3), (103, 20), 10)
    assert route.length_m == pytest.approx(70)
    assert route.line[0].tolist() == [50, 0] and route.line[-1].tolist() == [100, 20]
    assert route.nodes == [1]


def test_both_ends_may_lie_on_one_road(square):
    route = shortest_route(square, (30, 0), (80, 0), 10)
    assert route.length_m == pytest.approx(50) and route.nodes == []
    assert shortest_route(square, (30, 0), (30, 0), 10).length_m == pytest.approx(0, abs=1e-3)


def test_lengths_are_those_of_the_roads_and_not_of_the_map(square):
    nx.set_edge_attributes(square, 60.0, "length")
    assert shortest_route(square, (50, 0), (150, 0), 1).length_m == pytest.approx(30 + 60)


def test_the_network_itself_stays_as_it_is(square):
    before = sorted(square.edges(keys=True))
    shortest_route(square, (30, 0), (80, 100), 10)
    assert sorted(square.edges(keys=True)) == before


def test_a_place_far_from_any_road_is_refused_with_the_distance(square):
    with pytest.raises(RoadexError, match=r"lies 999,8\d\d m from the nearest road.*EPSG:32611"):
        shortest_route(square, (50, 0), (1_000_000, 0), 100)


def test_the_fastest_way_may_be_longer():
    """Through a gravelled residential road of 100 m, or round by a motorway of 200 m."""
    town = straight_network([(0, 0), (100, 0), (100, 50), (0, 50)], [(0, 1)], "EPSG:32611")
    town.edges[0, 1, 0].update(highway="residential", surface="gravel")
    for u, v in ((0, 3), (3, 2), (2, 1)):
        add_road(town, u, v, [position(town, u), position(town, v)], highway="motorway", lanes="3")
    short = shortest_route(town, (0, 0), (100, 0), 1)
    fast = shortest_route(town, (0, 0), (100, 0), 1, weight="travel_time")
    assert short.length_m == pytest.approx(100)
    assert short.travel_time_s == pytest.approx(100 / (25 * 0.75 * 0.44704))
    assert fast.length_m == pytest.approx(200) and fast.nodes == [0, 3, 2, 1]
    assert fast.travel_time_s == pytest.approx(200 / (65 * 0.44704))
    part = shortest_route(town, (0, 25), (40, 50), 1, weight="travel_time")
    assert part.travel_time_s == pytest.approx(65 / (65 * 0.44704))


def test_a_weight_that_does_not_exist_is_refused(square):
    with pytest.raises(RoadexError, match="weight=price: choose length or travel_time"):
        shortest_route(square, (0, 0), (100, 0), 1, weight="price")
