"""Drawing roads: exact, and the same under flips, quarter turns and added vertices."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.errors import RoadexError
from roadex.graph.network import add_road, empty_network, straight_network
from roadex.graph.raster import connectivity_map, draw_roads

SIDE = 40
GSDS = (0.3, 0.5, 1.0)


def moved(graph: nx.MultiGraph, move) -> nx.MultiGraph:
    """The network with every point (n, 2) sent through `move`."""
    result = nx.MultiGraph(**graph.graph)
    for node, data in graph.nodes(data=True):
        x, y = move(np.array([[data["x"], data["y"]]]))[0]
        result.add_node(node, x=x, y=y)
    for u, v, data in graph.edges(data=True):
        add_road(result, u, v, move(data["geometry"]))
    return result


def mirrored(points: np.ndarray, side: float) -> np.ndarray:
    return np.column_stack([side - points[:, 0], points[:, 1]])


def turned(points: np.ndarray, side: float) -> np.ndarray:
    """A quarter turn to the left, as numpy's rot90 turns an array."""
    return np.column_stack([points[:, 1], side - points[:, 0]])


def with_midpoints(graph: nx.MultiGraph) -> nx.MultiGraph:
    """The same straight roads, each with a node of degree 2 at its middle."""
    result = nx.MultiGraph(**graph.graph)
    result.add_nodes_from(graph.nodes(data=True))
    for u, v, data in graph.edges(data=True):
        start, end = data["geometry"][[0, -1]]
        middle = (start + end) / 2
        add_road(result, u, (u, v, id(data)), [start, middle])
        add_road(result, (u, v, id(data)), v, [middle, end])
    return result


@st.composite
def networks(draw) -> tuple[nx.MultiGraph, float]:
    """Straight roads on whole and half pixels, where ties are most likely, and anywhere else."""
    gsd = draw(st.sampled_from(GSDS))
    coordinate = st.one_of(
        st.integers(-10, 2 * SIDE + 10).map(lambda n: n / 2), st.floats(-5, SIDE + 5, width=32)
    )
    points = draw(st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=7))
    index = st.integers(0, len(points) - 1)
    edges = draw(st.lists(st.tuples(index, index), min_size=1, max_size=8))
    return straight_network([(x * gsd, y * gsd) for x, y in points], edges), gsd


def label(graph: nx.MultiGraph, gsd: float) -> np.ndarray:
    return connectivity_map(graph, (SIDE, SIDE), gsd, 6 * gsd, border_m=gsd)


@settings(max_examples=150, deadline=None)
@given(networks())
def test_the_label_turns_and_flips_with_the_roads(case):
    graph, gsd = case
    expected = label(graph, gsd)
    flipped = moved(graph, lambda points: mirrored(points, SIDE * gsd))
    np.testing.assert_array_equal(label(flipped, gsd), expected[:, ::-1])
    rotated = moved(graph, lambda points: turned(points, SIDE * gsd))
    np.testing.assert_array_equal(label(rotated, gsd), np.rot90(expected))


@settings(max_examples=60, deadline=None)
@given(networks())
def test_nodes_of_degree_two_leave_no_trace(case):
    graph, gsd = case
    np.testing.assert_array_equal(label(with_midpoints(graph), gsd), label(graph, gsd))


def distance_to_roads(graph: nx.MultiGraph, shape: tuple[int, int], pixel) -> np.ndarray:
    """Distance in metres of every pixel centre to the nearest road, the slow way."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    centres = np.stack([(columns + 0.5) * pixel[0], (rows + 0.5) * pixel[1]], axis=-1)
    nearest = np.full(shape, np.inf)
    for *_, line in graph.edges(data="geometry"):
        for start, end in pairwise(line):
            step = end - start
            t = ((centres - start) @ step / max(step @ step, 1e-300)).clip(0, 1)
            gap = np.linalg.norm(centres - start - t[..., None] * step, axis=-1)
            nearest = np.minimum(nearest, gap)
    return nearest


@pytest.mark.parametrize("pixel", [(0.3, 0.3), (0.24, 0.3), (2.0, 1.0)])
def test_a_pixel_is_road_where_its_centre_is_within_half_the_width(pixel):
    rng = np.random.default_rng(3)
    graph = empty_network()
    for i in range(6):
        line = rng.uniform(-20, 80, (4, 2)) * pixel
        add_road(graph, (i, 0), (i, 1), line)
    width = 7.3 * pixel[1]
    mask = draw_roads(graph, (50, 70), pixel, width)
    expected = distance_to_roads(graph, (50, 70), pixel) <= width / 2
    np.testing.assert_array_equal(mask, expected)


def test_classes_say_how_many_ways_lead_on():
    arms = [(50.0, 50.0), (50.0, 10.0), (90.0, 50.0), (50.0, 90.0)]
    graph = straight_network(arms, [(0, 1), (0, 2), (0, 3)])
    labels = connectivity_map(graph, (100, 100), 1.0, 8.0)
    assert labels[49, 49] == 3
    assert labels[10, 49] == labels[49, 89] == labels[89, 49] == 1
    assert labels[30, 49] == 2
    assert labels[20, 20] == 0
    graph.add_node(4, x=10.0, y=50.0)
    graph.add_node(5, x=20.0, y=20.0)
    for arm in (4, 5):
        add_road(graph, 0, arm, [(50, 50), (graph.nodes[arm]["x"], graph.nodes[arm]["y"])])
    assert connectivity_map(graph, (100, 100), 1.0, 8.0)[49, 49] == 4
    assert connectivity_map(graph, (100, 100), 1.0, 8.0, classes=8)[49, 49] == 5


def test_a_disc_has_its_share_of_the_width():
    graph = straight_network([(50.0, 50.0), (90.0, 50.0)], [(0, 1)])
    labels = connectivity_map(graph, (100, 100), 1.0, 20.0, disc_ratio=0.85)
    rows, columns = np.mgrid[:100, :100] + 0.5
    nearest_end = np.hypot(np.minimum(abs(columns - 50), abs(columns - 90)), rows - 50)
    np.testing.assert_array_equal(labels == 1, nearest_end <= 8.5)


def test_a_road_cut_by_the_border_has_no_dead_end():
    graph = straight_network([(0.0, 20.5), (30.0, 20.5)], [(0, 1)])
    labels = connectivity_map(graph, (40, 40), 1.0, 6.0)
    assert labels[20, 0] == 2
    assert labels[20, 29] == 1


def test_crossing_without_a_node_is_no_junction_and_a_ring_has_no_end():
    bridge = straight_network([(5, 20), (35, 20), (20, 5), (20, 35)], [(0, 1), (2, 3)])
    assert set(np.unique(connectivity_map(bridge, (40, 40), 1.0, 4.0))) == {0, 1, 2}
    ring = empty_network()
    add_road(ring, 0, 0, [(10, 10), (30, 10), (20, 30), (10, 10)])
    assert set(np.unique(connectivity_map(ring, (40, 40), 1.0, 4.0))) == {0, 2}


def test_a_junction_wins_over_a_dead_end_beside_it():
    points = [(20, 20), (22, 20), (20, 35), (5, 20), (20, 5)]
    graph = straight_network(points, [(0, 1), (0, 2), (0, 3), (0, 4)])
    labels = connectivity_map(graph, (40, 40), 1.0, 8.0)
    assert labels[19, 19] == labels[20, 20] == labels[20, 22] == 4


def test_roads_may_differ_in_width():
    graph = empty_network()
    add_road(graph, 0, 1, [(0, 10), (40, 10)], width_m=4.0)
    add_road(graph, 2, 3, [(0, 30), (40, 30)], width_m=8.0)
    mask = draw_roads(graph, (40, 40), 1.0, "width_m")
    assert mask[:20, 20].sum() == 4
    assert mask[20:, 20].sum() == 8
    with pytest.raises(RoadexError, match="lanes"):
        draw_roads(graph, (40, 40), 1.0, "lanes")


def test_no_roads_and_roads_elsewhere_draw_nothing():
    assert not draw_roads(empty_network(), (10, 12), 0.5, 3.0).any()
    away = straight_network([(100, 100), (200, 200)], [(0, 1)])
    assert not connectivity_map(away, (10, 12), 0.5, 3.0).any()


@pytest.mark.parametrize("gsd", [0.0, -1.0, float("nan")])
def test_a_senseless_pixel_size_is_refused(gsd):
    with pytest.raises(RoadexError, match="gsd"):
        draw_roads(straight_network([(0, 0), (1, 1)], [(0, 1)]), (4, 4), gsd, 1.0)
