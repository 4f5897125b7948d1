"""The shared road graph: lengths, orientation and merging."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from roadex.graph.network import (
    add_road,
    empty_network,
    merge_degree_two,
    oriented,
    polyline_length,
    straight_network,
    total_length,
)


def split_everywhere(graph: nx.MultiGraph) -> nx.MultiGraph:
    """The same roads with a node at every vertex."""
    split = nx.MultiGraph(**graph.graph)
    split.add_nodes_from(graph.nodes(data=True))
    for u, v, data in graph.edges(data=True):
        line = data["geometry"]
        names = [u, *((u, v, id(data), i) for i in range(1, len(line) - 1)), v]
        for i in range(len(line) - 1):
            add_road(split, names[i], names[i + 1], line[i : i + 2])
    return split


def test_lengths_are_planar():
    graph = empty_network()
    add_road(graph, 0, 1, [(0, 0), (3, 4), (3, 10)])
    assert polyline_length([(0, 0), (3, 4), (3, 10)]) == 11.0
    assert total_length(graph) == 11.0
    assert graph.nodes[1] == {"x": 3.0, "y": 10.0}


def test_a_given_length_is_kept():
    graph = empty_network("EPSG:32611")
    add_road(graph, "a", "b", [(0, 0), (1, 0)], length=1.25, road_type=5)
    assert graph.edges["a", "b", 0]["length"] == 1.25
    assert graph.graph["crs"] == "EPSG:32611"


def test_orientation_follows_the_nodes():
    graph = empty_network()
    add_road(graph, 0, 1, [(0, 0), (5, 1), (10, 0)])
    np.testing.assert_array_equal(oriented(graph, 1, 0, 0), [(10, 0), (5, 1), (0, 0)])
    np.testing.assert_array_equal(oriented(graph, 0, 1, 0), [(0, 0), (5, 1), (10, 0)])


def test_merging_undoes_splitting():
    graph = straight_network([(0, 0), (10, 0), (10, 10), (20, 0)], [(0, 1), (1, 2), (1, 3)])
    add_road(graph, 3, 2, [(20, 0), (25, 5), (20, 9), (10, 10)])
    add_road(graph, 1, 1, [(10, 0), (12, -2), (8, -2), (10, 0)])
    merged = merge_degree_two(split_everywhere(graph))
    assert sorted(merged) == [0, 1]
    assert merged.number_of_edges() == 3
    assert total_length(merged) == pytest.approx(total_length(graph))


def test_a_ring_becomes_one_self_loop():
    square = [(0, 0), (10, 0), (10, 10), (0, 10)]
    merged = merge_degree_two(straight_network(square, [(0, 1), (1, 2), (2, 3), (3, 0)]))
    assert list(merged.edges(keys=True)) == [(0, 0, 0)]
    line = merged.edges[0, 0, 0]["geometry"]
    assert len(line) == 5
    np.testing.assert_array_equal(line[0], line[-1])


def test_two_parallel_roads_between_two_points_are_one_ring():
    graph = straight_network([(0, 0), (10, 0)], [(0, 1)])
    add_road(graph, 0, 1, [(0, 0), (5, 5), (10, 0)])
    merged = merge_degree_two(graph)
    assert merged.number_of_edges() == 1
    assert total_length(merged) == pytest.approx(total_length(graph))


def test_merging_weighs_floats_and_keeps_the_longest_kind():
    graph = empty_network()
    add_road(graph, 0, 1, [(0, 0), (10, 0)], road_type=5, mean_probability=0.5, length=10.0)
    add_road(graph, 1, 2, [(10, 0), (40, 0)], road_type=2, mean_probability=0.9, length=31.0)
    (data,) = (data for *_, data in merge_degree_two(graph).edges(data=True))
    assert data["road_type"] == 2
    assert data["mean_probability"] == pytest.approx((0.5 * 10 + 0.9 * 31) / 41)
    assert data["length"] == 41.0


def test_merging_keeps_lone_nodes_and_the_original():
    graph = straight_network([(0, 0), (1, 0), (2, 0), (9, 9)], [(0, 1), (1, 2)])
    merged = merge_degree_two(graph)
    assert sorted(merged) == [0, 2, 3]
    assert sorted(graph) == [0, 1, 2, 3]
