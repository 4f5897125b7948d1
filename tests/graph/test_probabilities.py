"""From probabilities to a graph: drawn cases that the mask alone cannot decide."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from roadex.errors import RoadexError
from roadex.graph import (
    DecodingSettings,
    GapSettings,
    connectivity_map,
    draw_roads,
    mask_to_graph,
    probabilities_to_graph,
)
from roadex.graph.network import add_road, empty_network, position, total_length

GSD = 0.5
SHAPE = (200, 200)
SETTINGS = DecodingSettings(
    spur_half_widths=1.0, gaps=GapSettings(reach_m=30.0, max_cost=25.0), bridge_junction=0.2
)


def streets(*lines) -> nx.MultiGraph:
    """Roads along polylines given in pixels; equal end points are one node."""
    graph = empty_network()
    for line in lines:
        points = np.array(line, dtype=float) * GSD
        add_road(graph, tuple(line[0]), tuple(line[-1]), points)
    return graph


def probabilities(graph: nx.MultiGraph, *trees) -> tuple[np.ndarray, np.ndarray]:
    """The maps of a model that knows the truth, with low probabilities below a tree."""
    road = np.where(draw_roads(graph, SHAPE, GSD, 6.0), 240, 5).astype(np.uint8)
    classes = connectivity_map(graph, SHAPE, GSD, 6.0)
    directions = np.where(np.arange(5)[:, None, None] == classes, 240, 4).astype(np.uint8)
    for row, column, radius in trees:
        rows, columns = np.indices(SHAPE)
        hidden = np.hypot(rows - row, columns - column) < radius
        road[hidden] = np.where(road[hidden] > 128, 70, 5)
        directions[0][hidden] = 180
        directions[1:, hidden] = directions[1:, hidden] // 4
    return road, directions


def decoded(graph: nx.MultiGraph, *trees, settings=SETTINGS) -> nx.MultiGraph:
    return probabilities_to_graph(*probabilities(graph, *trees), 0.5, GSD, settings)


def degrees(graph: nx.MultiGraph) -> list[int]:
    return sorted(degree for _, degree in graph.degree)


def test_without_a_connectivity_map_the_threshold_alone_decides():
    road = np.zeros((100, 100), np.uint8)
    road[:, 40:50], road[40:50] = 127, 128
    strict = probabilities_to_graph(road, None, 0.5, GSD)
    assert total_length(strict) == total_length(mask_to_graph(road >= 128, GSD))
    assert degrees(strict) == [1, 1]
    loose = probabilities_to_graph(road / 256, None, 0.4, GSD)
    assert degrees(loose) == [1, 1, 1, 1, 4]


def test_maps_of_different_size_are_refused():
    with pytest.raises(RoadexError, match="connectivity map of shape"):
        probabilities_to_graph(np.zeros((9, 9)), np.zeros((5, 9, 8)), 0.5, GSD)


def test_the_defaults_are_the_masks_own_recipe():
    road, directions = probabilities(streets([(-9, 60), (209, 110)]), (85, 100, 12))
    graph = probabilities_to_graph(road, directions, 0.5, GSD)
    assert degrees(graph) == degrees(mask_to_graph(road >= 128, GSD)) == [1, 1, 1, 1]


@pytest.mark.parametrize("line", [[(-9, 60), (209, 110)], [(30, -9), (100, 85), (120, 209)]])
def test_a_gap_under_a_tree_is_closed_along_the_road(line):
    graph = decoded(streets(line), (85, 100, 14))
    assert degrees(graph) == [1, 1]
    ((*_, data),) = graph.edges(data=True)
    assert 0.02 < data["bridged"] < 0.3
    covered = draw_roads(graph, SHAPE, GSD, 1.0)
    assert (covered & ~draw_roads(streets(line), SHAPE, GSD, 6.0)).sum() == 0
    assert len(graph.graph["gaps"]) == 1


def test_a_gap_between_floating_point_maps_of_oblong_pixels_is_closed_too():
    road, directions = probabilities(streets([(-9, 100), (209, 100)]), (100, 100, 14))
    graph = probabilities_to_graph(road / 256, directions / 256, 0.5, (0.5, 0.4), SETTINGS)
    assert degrees(graph) == [1, 1]


def test_a_true_dead_end_is_kept():
    ends = streets([(-9, 100), (90, 100)], [(112, 100), (209, 100)])
    assert degrees(decoded(ends)) == [1, 1, 1, 1]
    blind = replace(SETTINGS, gaps=replace(SETTINGS.gaps, dead_end=1.0, max_cost=60.0))
    assert degrees(decoded(ends, settings=blind)) == [1, 1]


def test_parallel_roads_are_not_joined():
    lines = [[(-9, 80), (209, 80)], [(-9, 104), (209, 104)]]
    graph = decoded(streets(*lines), (80, 60, 13), (104, 140, 13))
    assert degrees(graph) == [1, 1, 1, 1]
    assert nx.number_connected_components(graph) == 2


def test_a_side_road_hidden_at_its_junction_joins_there():
    graph = decoded(
        streets([(-9, 60), (100, 60)], [(100, 60), (209, 60)], [(100, 60), (100, 209)]),
        (78, 100, 11),
    )
    assert degrees(graph) == [1, 1, 1, 3]
    (junction,) = (node for node, degree in graph.degree if degree == 3)
    assert position(graph, junction) == pytest.approx((50, 30), abs=2.0)


def test_a_bridge_stays_a_bridge_and_a_junction_a_junction():
    over, under = [(-9, 100), (209, 100)], [(80, -9), (120, 209)]
    bridge = decoded(streets(over, under))
    assert degrees(bridge) == [1, 1, 1, 1]
    assert nx.number_connected_components(bridge) == 2
    crossing = streets(
        [(-9, 100), (100, 100)], [(100, 100), (209, 100)],
        [(80, -9), (100, 100)], [(100, 100), (120, 209)],
    )  # fmt: skip
    assert degrees(decoded(crossing)) == [1, 1, 1, 1, 4]


def test_a_road_hidden_by_a_bridge_goes_on_below_it():
    road, directions = probabilities(streets([(-9, 100), (209, 100)], [(100, -9), (100, 209)]))
    shade = np.abs(np.arange(200) - 100) < 20
    over = np.abs(np.arange(200) - 100) < 6
    hidden = shade[:, None] & ~over[:, None] & (np.abs(np.arange(200) - 100) < 8)
    road[hidden] = 60
    directions[1:, hidden] = 10
    sceptical = replace(SETTINGS, gaps=replace(SETTINGS.gaps, tee_cost=12.0))
    graph = probabilities_to_graph(road, directions, 0.5, GSD, sceptical)
    assert degrees(graph) == [1, 1, 1, 1]
    assert nx.number_connected_components(graph) == 2


def test_bumps_of_a_wide_road_are_no_side_roads_and_side_roads_are_no_bumps():
    graph = streets([(-9, 100), (209, 100)], [(100, 100), (100, 20)])
    widths = {edge: 20.0 if edge[0][1] == 100 == edge[1][1] else 5.0 for edge in graph.edges}
    nx.set_edge_attributes(graph, widths, "width_m")
    mask = draw_roads(graph, SHAPE, GSD, "width_m")
    for column in range(8, 200, 24):
        mask[118 : 126 + column % 5, column : column + 9] = True
    road = np.where(mask, np.uint8(250), np.uint8(0))
    assert probabilities_to_graph(road, None, 0.5, GSD).number_of_edges() > 3
    assert degrees(probabilities_to_graph(road, None, 0.5, GSD, SETTINGS)) == [1, 1, 1, 3]


def test_junctions_move_to_where_the_network_sees_them():
    tee = streets([(-9, 60), (100, 60)], [(100, 60), (209, 60)], [(100, 60), (100, 209)])
    road, _ = probabilities(tee)
    moved = streets([(-9, 60), (104, 60)], [(104, 60), (209, 60)], [(104, 60), (104, 209)])
    _, directions = probabilities(moved)
    graph = probabilities_to_graph(
        road, directions, 0.5, GSD, replace(SETTINGS, junction_shift_m=5.0)
    )
    (junction,) = (node for node, degree in graph.degree if degree == 3)
    assert position(graph, junction) == pytest.approx((52, 30), abs=0.6)


def test_a_network_too_small_to_be_one_is_dropped_unless_cut_by_the_border():
    graph = streets([(60, 60), (110, 60)], [(-9, 100), (40, 100)], [(-9, 150), (209, 150)])
    assert decoded(graph).number_of_edges() == 3
    strict = replace(SETTINGS, min_network_m=30.0)
    assert decoded(graph, settings=strict).number_of_edges() == 2


def test_where_there_are_no_data_there_is_no_road():
    road, directions = probabilities(streets([(-9, 100), (209, 100)]))
    road[:, 90:110], directions[:, :, 90:110] = 0, 0
    graph = probabilities_to_graph(road, directions, 0.5, GSD, SETTINGS)
    assert degrees(graph) == [1, 1, 1, 1]
