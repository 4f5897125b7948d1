"""From maps to vertices, pairs and roads: at any pixel size the network that the maps show."""

from __future__ import annotations

from dataclasses import replace

import cv2
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.config.graph import DecodingSettings, PathSettings, VertexSettings
from roadex.errors import RoadexError
from roadex.graph.network import add_road, empty_network, total_length
from roadex.graph.paths.network import ClassifiedPairs, curved, joined_pairs, paths_to_graph
from roadex.graph.paths.segments import TrueRoads, segments_of, true_pairs
from roadex.graph.paths.vertices import (
    ALONG,
    BORDER,
    END,
    JUNCTION,
    Strength,
    Vertices,
    candidate_pairs,
    find_vertices,
)
from roadex.graph.raster import connectivity_map, draw_roads
from roadex.metrics import apls

SIDE_M = 200.0
FOUND = VertexSettings()


def town() -> nx.MultiGraph:
    """A bent street, a cross street that leaves the image, and a dead end."""
    graph = empty_network()
    add_road(graph, 0, 1, [(0.0, 60.0), (50.0, 65.0), (100.0, 80.0)])
    add_road(graph, 1, 2, [(100.0, 80.0), (150.0, 100.0), (200.0, 105.0)])
    add_road(graph, 1, 3, [(100.0, 80.0), (90.0, 200.0)])
    add_road(graph, 1, 4, [(100.0, 80.0), (120.0, 20.0)])
    return graph


def strength_of(graph: nx.MultiGraph, cell: float) -> Strength:
    """The maps of a model that knows the roads."""
    side = round(SIDE_M / cell)
    road = draw_roads(graph, (side, side), cell, 7.0).astype(np.float32)
    ridge = cv2.GaussianBlur(road, (0, 0), 2.5 / cell, borderType=cv2.BORDER_REPLICATE)
    ways = connectivity_map(graph, (side, side), cell, 7.0)
    classes = [cv2.GaussianBlur((ways == k).astype(np.float32), (0, 0), 1 / cell) for k in range(5)]
    return Strength(ridge, classes[1], classes[3] + classes[4], (cell, cell))


def joined_by_truth(graph: nx.MultiGraph, cell: float) -> ClassifiedPairs:
    vertices = find_vertices(strength_of(graph, cell), replace(FOUND, least_road=0.3))
    pairs = candidate_pairs(vertices.points, FOUND)
    truth = TrueRoads.of(segments_of(graph, 1.0), (1.0, 1.0), 120.0)
    joined = true_pairs(vertices.points, pairs, truth, FOUND)
    return ClassifiedPairs(vertices, pairs, joined.astype(float))


@pytest.mark.parametrize("cell", [0.5, 1.0, 2.0])
def test_the_true_pairs_of_true_maps_are_the_network(cell):
    graph = town()
    classified = joined_by_truth(graph, cell)
    side = round(SIDE_M / cell)
    road = draw_roads(graph, (side, side), cell, 7.0).astype(np.float32)
    decoding = DecodingSettings(paths=PathSettings(chance=0.5))
    found = paths_to_graph(classified, road, 0.5, cell, decoding)
    assert total_length(found) == pytest.approx(total_length(graph), rel=0.03)
    degrees = sorted(degree for _, degree in found.degree)
    assert degrees == [1, 1, 1, 1, 4]
    assert apls(graph, found).value > 0.97
    widths = [width for *_, width in found.edges(data="width_m")]
    assert all(5.0 < width < 9.5 for width in widths)
    assert all(chance == 1.0 for *_, chance in found.edges(data="chance"))


def crossing(*, bridge: bool) -> nx.MultiGraph:
    """Two straight roads from border to border that cross at (100, 80)."""
    graph = empty_network()
    over, under = ((0.0, 80.0), (200.0, 80.0)), ((80.0, 0.0), (130.0, 200.0))
    middle = (100.0, 80.0)
    if bridge:
        add_road(graph, 0, 1, over)
        add_road(graph, 2, 3, under)
    else:
        for node, place in enumerate((*over, *under)):
            add_road(graph, node, 4, [place, middle])
    return graph


@pytest.mark.parametrize(
    ("bridge", "least_junction", "degrees"),
    [(True, 0.2, [1] * 4), (False, 0.2, [1] * 4 + [4]), (True, 0.0, [1] * 4 + [4])],
)
def test_a_crossing_of_joined_pairs_is_a_bridge_where_no_junction_is_predicted(
    bridge, least_junction, degrees
):
    shown = crossing(bridge=bridge)
    # Pairs that all meet in a vertex at the crossing, whatever the maps show there.
    classified = joined_by_truth(crossing(bridge=False), 1.0)
    side = round(SIDE_M)
    road = draw_roads(shown, (side, side), 1.0, 7.0).astype(np.float32)
    ways = connectivity_map(shown, (side, side), 1.0, 7.0)
    directions = (np.arange(5)[:, None, None] == ways).astype(np.float32)
    decoding = DecodingSettings(paths=PathSettings(chance=0.5), bridge_junction=least_junction)
    found = paths_to_graph(classified, road, 0.5, 1.0, decoding, directions)
    assert sorted(degree for _, degree in found.degree) == degrees
    assert nx.number_connected_components(found) == (2 if degrees == [1] * 4 else 1)
    assert total_length(found) == pytest.approx(total_length(shown), rel=0.01)
    assert all(set(data) == {"x", "y"} for _, data in found.nodes(data=True))
    without = paths_to_graph(classified, road, 0.5, 1.0, decoding)
    assert max(degree for _, degree in without.degree) == 4, "without connectivity a junction"


def test_pairs_that_cross_without_a_common_vertex_make_no_junction():
    points = np.array([[80.0, 80.0], [120.0, 80.0], [100.0, 60.0], [100.0, 100.0]])
    vertices = Vertices(points, np.full(4, END))
    classified = ClassifiedPairs(vertices, np.array([[0, 1], [2, 3]]), np.ones(2))
    found = joined_pairs(classified, 0.5, PathSettings(chance=0.5))
    assert sorted(degree for _, degree in found.degree) == [1, 1, 1, 1]


def test_vertices_are_ends_junctions_and_places_on_the_border():
    found = find_vertices(strength_of(town(), 1.0), replace(FOUND, least_road=0.3))
    kinds = found.kinds.tolist()
    assert kinds.count(JUNCTION) == 1 and kinds.count(END) == 1 and kinds.count(BORDER) == 3
    junction = found.points[found.kinds == JUNCTION][0]
    assert np.hypot(*(junction - (100.0, 80.0))) < 2.0
    border = found.points[found.kinds == BORDER]
    assert (np.minimum(border, SIDE_M - border).min(axis=1) == 0).all()
    gaps = np.hypot(*(found.points[:, None] - found.points).transpose(2, 0, 1))
    np.fill_diagonal(gaps, np.inf)
    assert gaps.min() > FOUND.spacing_m - 2.0, "refining moves a vertex by half a cell at most"
    along = found.points[found.kinds == ALONG]
    assert len(along) > 20


@pytest.mark.parametrize("degrees", [0, 8, 30, 45, 60, 82, 90])
def test_vertices_lie_in_the_middle_of_their_road(degrees):
    angle = np.radians(degrees)
    along, normal = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    middle = np.array([100.3, 99.8])
    graph = empty_network()
    add_road(graph, 0, 1, [middle - 150 * along, middle + 150 * along])
    found = find_vertices(strength_of(graph, 1.0), replace(FOUND, least_road=0.3))
    inner = found.points[(found.kinds == ALONG) & (np.abs(found.points - 100) < 85).all(axis=1)]
    off = (inner - middle) @ normal
    # Pixels that are road or not put a road along their rows up to a third of one aside.
    assert len(inner) > 8 and abs(off.mean()) < 0.35
    assert np.abs(off - off.mean()).mean() < 0.2


def test_what_moves_the_image_by_whole_cells_moves_the_vertices():
    """Except for the choice between equals, which a shift changes: the roads covered stay."""
    graph = town()
    first = find_vertices(strength_of(graph, 1.0), FOUND, most=5)
    assert len(first) == 5 and set(first.kinds.tolist()) <= {JUNCTION, END, BORDER}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 60))
def test_no_third_vertex_lies_on_the_way_of_a_pair(seed, count):
    points = np.random.default_rng(seed).uniform(0, 120, (count, 2))
    pairs = candidate_pairs(points, FOUND)
    assert (pairs[:, 0] < pairs[:, 1]).all() and len(np.unique(pairs, axis=0)) == len(pairs)
    for u, v in pairs.tolist():
        length = np.hypot(*(points[u] - points[v]))
        assert length <= FOUND.reach_m
        by = np.hypot(*(points - points[u]).T) + np.hypot(*(points - points[v]).T)
        by[[u, v]] = np.inf
        assert by.min(initial=np.inf) > length


def test_a_pair_across_a_third_vertex_or_another_road_is_not_joined():
    graph = empty_network()
    add_road(graph, 0, 1, [(0.0, 50.0), (100.0, 50.0)])
    add_road(graph, 2, 3, [(0.0, 62.0), (100.0, 62.0)])
    truth = TrueRoads.of(segments_of(graph, 1.0), (1.0, 1.0), 120.0)
    points = np.array([[10.0, 50.0], [22.0, 50.5], [34.0, 49.0], [10.0, 62.0], [34.0, 80.0]])
    pairs = np.array([[0, 1], [1, 2], [0, 2], [0, 3], [2, 4]])
    assert true_pairs(points, pairs, truth, FOUND).tolist() == [True, True, False, False, False]


def chain(chances: list[float], kinds: list[int]) -> ClassifiedPairs:
    """Vertices ten metres apart in a row."""
    count = len(kinds)
    points = np.column_stack([10.0 * np.arange(count) + 5.0, np.full(count, 50.0)])
    pairs = np.column_stack([np.arange(count - 1), np.arange(1, count)])
    return ClassifiedPairs(Vertices(points, np.array(kinds)), pairs, np.array(chances))


def test_a_road_counts_as_a_whole_and_a_dead_end_needs_more():
    through = chain([0.6, 0.2, 0.6], [BORDER, ALONG, ALONG, BORDER])
    nowhere = chain([0.6, 0.2, 0.6], [BORDER, ALONG, ALONG, ALONG])
    rule = PathSettings(dead_end=1.5)
    assert joined_pairs(through, 0.4, rule).number_of_edges() == 1
    assert joined_pairs(nowhere, 0.4, rule).number_of_edges() == 0
    assert joined_pairs(through, 0.6, rule).number_of_edges() == 0, "0.2 is no part of a road"


def test_the_least_likely_pair_of_a_triangle_is_needless():
    points = np.array([[0.0, 50.0], [10.0, 50.0], [5.0, 58.0], [20.0, 50.0]])
    pairs = np.array([[0, 1], [0, 2], [1, 2], [1, 3]])
    kinds = np.array([BORDER, JUNCTION, BORDER, BORDER])
    classified = ClassifiedPairs(Vertices(points, kinds), pairs, np.array([0.9, 0.5, 0.8, 0.9]))
    assert sorted(joined_pairs(classified, 0.4, PathSettings()).edges()) == [(0, 1), (1, 2), (1, 3)]


def test_lines_are_curves_through_their_vertices():
    angles = np.linspace(0, np.pi, 13)
    arc = 50.0 * np.column_stack([np.cos(angles), np.sin(angles)])
    line = curved(arc)
    off = np.abs(np.hypot(*line.T) - 50.0)
    assert off[8:-8].max() < 0.05 and off.max() < 0.15, "a polygon is off by 0.43 m"
    ring = curved(np.concatenate([arc, -arc[1:-1], arc[:1]]))
    assert np.array_equal(ring[0], ring[-1]) and np.abs(np.hypot(*ring.T) - 50.0).max() < 0.05
    assert np.array_equal(curved(arc[:2]), arc[:2])


def test_nothing_is_the_network_of_nothing():
    empty = Strength(*(np.zeros((20, 20), np.float32),) * 3, (1.0, 1.0))
    vertices = find_vertices(empty, FOUND)
    classified = ClassifiedPairs(vertices, candidate_pairs(vertices.points, FOUND), np.zeros(0))
    road = np.zeros((20, 20), np.uint8)
    decoding = DecodingSettings(paths=PathSettings(chance=0.5))
    assert not len(paths_to_graph(classified, road, 0.5, 1.0, decoding))
    with pytest.raises(RoadexError, match=r"graph\.paths\.chance"):
        paths_to_graph(classified, road, 0.5, 1.0, DecodingSettings())
