"""From mask to graph: what is a road on the mask is a road in the graph, and nothing else."""

from __future__ import annotations

import cv2
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.errors import RoadexError
from roadex.graph import DecodingSettings, GraphSettings, draw_roads, mask_to_graph
from roadex.graph.frame import extent
from roadex.graph.mask import clean_mask
from roadex.graph.network import (
    add_road,
    empty_network,
    merge_degree_two,
    polyline_length,
    position,
    straight_network,
    total_length,
)
from roadex.graph.simplify import simplify_roads

GSD = 0.5


def degrees(graph: nx.MultiGraph) -> list[int]:
    return sorted(degree for _, degree in graph.degree)


def roads(*lines, shape=(200, 200), width_m=5.0, gsd=GSD) -> np.ndarray:
    """The mask of roads along polylines given in pixels."""
    graph = empty_network()
    for i, line in enumerate(lines):
        add_road(graph, (i, 0), (i, 1), np.array(line, dtype=float) * gsd)
    return draw_roads(graph, shape, gsd, width_m)


def test_a_road_across_the_tile_ends_on_both_borders():
    graph = mask_to_graph(roads([(-20, 60), (220, 110)]), GSD)
    assert degrees(graph) == [1, 1]
    left, right = sorted(graph.nodes[node]["x"] for node in graph)
    assert (left, right) == (0.0, 100.0)
    assert total_length(graph) == pytest.approx(100 * np.hypot(1, 50 / 240), abs=1.0)
    ((*_, data),) = graph.edges(data=True)
    assert data["width_m"] == pytest.approx(5.0, abs=GSD)
    assert graph.graph["crs"] is None


@pytest.mark.parametrize("direction", [(1, 0), (1, 0.4), (1, 1), (0.3, 1)])
def test_cut_roads_end_on_the_border_whatever_their_direction(direction):
    middle, step = np.array([100.0, 100.0]), np.array(direction) * 200
    graph = mask_to_graph(roads([middle - step, middle + step], width_m=8.0), GSD)
    assert degrees(graph) == [1, 1]
    for node in graph:
        x, y = graph.nodes[node]["x"], graph.nodes[node]["y"]
        assert min(x, y, 100 - x, 100 - y) == 0.0
        offset = np.array([x, y]) - 50
        across = abs(offset[0] * direction[1] - offset[1] * direction[0]) / np.hypot(*direction)
        assert across < 1.0


def test_a_road_along_the_border_ends_at_the_corner():
    graph = mask_to_graph(roads([(-9, 3), (209, 3)]), GSD)
    assert sorted(x for _, x in graph.nodes(data="x")) == [0.0, 100.0]
    assert [y for _, y in graph.nodes(data="y")] == pytest.approx([1.5, 1.5], abs=1.5)


def test_a_dead_end_inside_stays_where_it_is():
    graph = mask_to_graph(roads([(-20, 100), (120, 100)]), GSD)
    assert max(graph.nodes[node]["x"] for node in graph) == pytest.approx(60, abs=2.5)


def test_junctions_have_their_degree():
    tee = mask_to_graph(roads([(-9, 100), (209, 100)], [(100, 100), (100, 209)]), GSD)
    assert degrees(tee) == [1, 1, 1, 3]
    cross = mask_to_graph(roads([(-9, 100), (209, 100)], [(100, -9), (100, 209)]), GSD)
    assert degrees(cross) == [1, 1, 1, 1, 4]
    oblique = mask_to_graph(roads([(-9, 100), (209, 100)], [(40, -9), (160, 209)]), GSD)
    assert degrees(oblique) == [1, 1, 1, 1, 4]
    (centre,) = (node for node, degree in oblique.degree if degree == 4)
    x, y = oblique.nodes[centre]["x"], oblique.nodes[centre]["y"]
    assert np.hypot(x - 50, y - 50) < 1.5


def circle(radius: float, centre: tuple[float, float] = (100, 100)) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 60)
    return np.column_stack([np.cos(angle), np.sin(angle)]) * radius + centre


def test_a_ring_is_one_self_loop_with_its_length():
    graph = mask_to_graph(roads(circle(60)), GSD)
    assert [(u == v) for u, v in graph.edges()] == [True]
    assert total_length(graph) == pytest.approx(2 * np.pi * 30, rel=0.02)


def test_a_roundabout_keeps_two_parallel_roads():
    mask = roads(circle(30), [(-9, 100), (70, 100)], [(130, 100), (209, 100)])
    graph = mask_to_graph(mask, GSD)
    assert degrees(graph) == [1, 1, 3, 3]
    u, v = (node for node, degree in graph.degree if degree == 3)
    assert graph.number_of_edges(u, v) == 2


def test_noise_is_dropped_and_holes_are_filled():
    mask = roads([(-9, 100), (209, 100)], width_m=10.0)
    mask[96:104, 50:55] = False
    mask[10:18, 10:18] = True
    graph = mask_to_graph(mask, GSD)
    assert degrees(graph) == [1, 1]
    untouched = GraphSettings(min_area_m2=0, min_hole_m2=0, min_spur_m=0)
    assert mask_to_graph(mask, GSD, untouched).number_of_edges() > 1


def test_spurs_go_but_the_end_of_a_hairy_road_stays():
    hairs = [[(x, 100), (x, 100 - 7)] for x in range(20, 180, 12)]
    graph = mask_to_graph(roads([(10, 100), (190, 100)], *hairs, width_m=2.0), GSD)
    assert degrees(graph) == [1, 1]
    assert total_length(graph) == pytest.approx(90, abs=4)


def test_a_small_network_keeps_its_longest_line():
    arms = [[(100, 100), tip] for tip in ((109, 100), (95, 109), (94, 91))]
    graph = mask_to_graph(roads(*arms, width_m=1.5), GSD, GraphSettings(min_area_m2=0))
    assert graph.number_of_edges() == 1
    assert 6 < total_length(graph) < 12


@pytest.mark.parametrize(("pixels", "kept"), [(30, True), (8, False)])
def test_an_isolated_road_stays_if_it_is_long_enough(pixels, kept):
    mask = np.zeros((100, 100), dtype=bool)
    mask[50:53, 20 : 20 + pixels] = True
    graph = mask_to_graph(mask, GSD, GraphSettings(min_area_m2=0))
    assert (graph.number_of_edges() == 1) is kept


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (30, 40)])
def test_an_empty_mask_is_an_empty_graph(shape):
    graph = mask_to_graph(np.zeros(shape, dtype=np.uint8), GSD)
    assert len(graph) == 0
    assert graph.graph["crs"] is None


def test_a_full_mask_and_a_tiny_one_do_not_fail():
    assert mask_to_graph(np.ones((50, 50), dtype=bool), GSD).number_of_edges() <= 2
    assert mask_to_graph(np.ones((1, 1), dtype=bool), GSD).number_of_edges() == 0


def test_three_bands_are_refused():
    with pytest.raises(RoadexError, match="one band"):
        mask_to_graph(np.zeros((4, 4, 3)), GSD)


def test_the_same_roads_at_twice_the_resolution_give_the_same_graph():
    lines = [(-9, 60), (90, 70), (209, 130)], [(90, 70), (60, 209)], [(150, 100), (150, 20)]
    coarse = mask_to_graph(roads(*lines), GSD)
    fine_lines = [np.array(line) * 2.0 for line in lines]
    fine = mask_to_graph(roads(*fine_lines, shape=(400, 400), gsd=GSD / 2), GSD / 2)
    assert degrees(fine) == degrees(coarse)
    assert total_length(fine) == pytest.approx(total_length(coarse), rel=0.02)


def test_oblong_pixels_are_measured_in_metres():
    graph = mask_to_graph(roads([(100, -9), (100, 209)]), (0.25, 1.0))
    assert total_length(graph) == pytest.approx(200.0)
    assert [x for _, x in graph.nodes(data="x")] == pytest.approx([25.0, 25.0], abs=0.25)


def street_grid(seed: int) -> nx.MultiGraph:
    """Some of the streets of a crooked 4 x 4 grid, in metres."""
    rng = np.random.default_rng(seed)
    grid = nx.grid_2d_graph(4, 4)
    places = {node: (np.array(node) + rng.uniform(-0.15, 0.15, 2)) * 28 + 8 for node in grid}
    streets = [edge for edge in grid.edges if rng.random() < 0.7]
    return merge_degree_two(straight_network({n: places[n] for n in grid}, streets))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_the_graph_of_drawn_streets_is_the_one_drawn(seed):
    truth = street_grid(seed)
    shape = (200, 200)
    graph = mask_to_graph(draw_roads(truth, shape, GSD, 4.0), GSD, GraphSettings(border_m=0))
    ends = [degree for degree in degrees(truth) if degree]
    assert [degree for degree in degrees(graph) if degree != 2] == [n for n in ends if n != 2]
    assert total_length(graph) == pytest.approx(total_length(truth), rel=0.05)
    beside = draw_roads(graph, shape, GSD, 0.5) & ~draw_roads(truth, shape, GSD, 4.0)
    assert not beside.any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 5))
def test_simplification_keeps_within_its_tolerance(seed, tolerance):
    rng = np.random.default_rng(seed)
    line = np.cumsum(rng.normal(size=(80, 2)), axis=0)
    graph = empty_network()
    add_road(graph, 0, 1, line)
    add_road(graph, 1, 0, [line[-1], line[-1] + 3, line[0]])
    ring = np.vstack([line, line[0]])
    add_road(graph, 0, 0, ring)
    simplify_roads(graph, tolerance)
    for (u, v, key), old in (((0, 1, 0), line), ((0, 0, 0), ring)):
        new = graph.edges[u, v, key]["geometry"]
        np.testing.assert_array_equal(new[[0, -1]], old[[0, -1]])
        step = np.diff(new, axis=0)
        ahead = old[:, None] - new[:-1]
        share = (ahead * step).sum(-1) / np.maximum((step**2).sum(-1), 1e-300)
        gap = np.linalg.norm(ahead - share.clip(0, 1)[..., None] * step, axis=-1).min(axis=1)
        assert gap.max() <= tolerance + 1e-9
    assert len(graph.edges[0, 0, 0]["geometry"]) >= 4
    assert len(graph.edges[0, 1, 0]["geometry"]) >= 3


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from([0.5, 1.5, 4.0]),
    st.sampled_from([0.3, 1.0, (0.24, 0.3)]),
    st.sampled_from([GraphSettings(), GraphSettings(0, 0, 0, 0, 0, 0), GraphSettings(0, 0)]),
)
def test_any_mask_gives_a_network_that_keeps_the_contract(seed, roughness, gsd, how):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 90, 2).tolist())
    mask = cv2.GaussianBlur(rng.normal(size=shape), (0, 0), roughness) > 0
    graph = mask_to_graph(mask, gsd, how)
    width, height = extent(shape, gsd)
    for _, data in graph.nodes(data=True):
        assert set(data) == {"x", "y"}
        assert 0 <= data["x"] <= width
        assert 0 <= data["y"] <= height
    for u, v, data in graph.edges(data=True):
        line = data["geometry"]
        assert np.isfinite(line).all()
        assert len(line) >= (4 if u == v else 2)
        assert data["length"] == pytest.approx(polyline_length(line))
        ends = {(float(x), float(y)) for x, y in line[[0, -1]]}
        assert ends == {position(graph, u), position(graph, v)}


def test_cleaning_in_strips_is_cleaning_at_once(monkeypatch):
    rng = np.random.default_rng(5)
    mask = cv2.GaussianBlur(rng.normal(size=(300, 90)), (0, 0), 2) > 0
    whole = clean_mask(mask, 60, 40)
    monkeypatch.setattr("roadex.graph.mask._STRIP_PIXELS", 92 * 17)
    np.testing.assert_array_equal(clean_mask(mask, 60, 40), whole)
    assert (whole != mask).any()


def test_real_masks_give_roads_that_lie_on_them(real_data):
    for path in sorted((real_data / "epfl" / "groundtruth").glob("*.png"))[::8]:
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 127
        graph = mask_to_graph(mask, 0.25)
        drawn = draw_roads(graph, mask.shape, 0.25, 0.5)
        assert graph.number_of_edges() > 0
        assert (drawn & ~mask).sum() <= 0.03 * drawn.sum()
        for node, degree in graph.degree:
            x, y = graph.nodes[node]["x"], graph.nodes[node]["y"]
            assert 0 <= x <= 100
            assert 0 <= y <= 100
            assert degree != 2 or node in graph.adj[node]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 100_000),
    side=st.integers(6, 60),
    merge=st.sampled_from([0.0, 1.5]),
    simplify=st.sampled_from([0.0, 0.6]),
    by_width=st.sampled_from([0.0, 1.5]),
)
def test_no_road_is_a_point_whatever_the_mask_and_settings(seed, side, merge, simplify, by_width):
    rng = np.random.default_rng(seed)
    mask = cv2.GaussianBlur(rng.random((side, side)), (0, 0), 0.3 + 2 * rng.random()) > 0.5
    nothing = {"min_area_m2": 0.0, "min_hole_m2": 0.0, "min_spur_m": 0.0}
    kept = {"junction_merge": merge, "simplify_m": simplify, "spur_half_widths": by_width}
    graph = mask_to_graph(mask, 1.0, DecodingSettings(**nothing, **kept))
    for *_, data in graph.edges(data=True):
        steps = np.hypot(*np.diff(data["geometry"], axis=0).T)
        assert data["length"] > 0 and (steps > 0).all() and np.isfinite(steps).all()
