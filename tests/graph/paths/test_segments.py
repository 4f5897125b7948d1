"""True roads follow a crop wherever it lies: graph(transform(tile)) = transform(graph(tile))."""

from __future__ import annotations

import cv2
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadex.config.augment import AugmentConfig
from roadex.data.augment import Augmentation
from roadex.data.mixing import Sample, mixed, pasted
from roadex.graph.network import add_road, empty_network
from roadex.graph.paths.segments import (
    beside,
    moved_segments,
    segments_of,
    within_box,
    without_box,
)
from roadex.graph.raster import draw_roads

SIDE = 96


def crossing() -> nx.MultiGraph:
    """Two bent roads that meet, and one apart, in pixels of one metre."""
    graph = empty_network()
    add_road(graph, 0, 1, [(5.0, 20.0), (40.0, 30.0), (48.0, 48.0)])
    add_road(graph, 1, 2, [(48.0, 48.0), (90.0, 50.0)])
    add_road(graph, 1, 3, [(48.0, 48.0), (50.0, 90.0)])
    add_road(graph, 4, 5, [(10.0, 60.0), (30.0, 85.0)])
    return graph


def length(rows: np.ndarray) -> float:
    return float(np.hypot(*(rows[:, 2:4] - rows[:, :2]).T).sum())


def as_network(rows: np.ndarray) -> nx.MultiGraph:
    graph = empty_network()
    for x0, y0, x1, y1, u, v in rows.tolist():
        add_road(graph, u, v, [(x0, y0), (x1, y1)])
    return graph


@settings(max_examples=40, deadline=None)
@given(
    rotation=st.floats(0, 180),
    scale=st.floats(0.6, 1.8),
    size=st.integers(40, 90),
    seed=st.integers(0, 10_000),
)
def test_roads_lie_where_the_crop_shows_them(rotation, scale, size, seed):
    """Flips, quarter turns, any turn, any scale, any place, cut at the border."""
    graph = crossing()
    shown = draw_roads(graph, (SIDE, SIDE), 1.0, 6.0).astype(np.uint8)
    config = AugmentConfig(rotation=rotation, scale_min=scale, scale_max=scale)
    image = np.stack([shown * 200] * 3, axis=-1)
    rng = np.random.default_rng(seed)
    (_, mask), motion = Augmentation(config).moved((image, shown), size, rng)
    rows = moved_segments(segments_of(graph, 1.0), motion.matrix, size)
    assert (rows[:, :4] >= -1e-9).all() and (rows[:, :4] <= size + 1e-9).all()
    drawn = draw_roads(as_network(rows), (size, size), 1.0, 6.0 * scale)
    # Roads that end outside still reach in by half their width, and labels of the nearest pixel
    # have their edges off by half of one, magnified as they are.
    inner = mask != 255
    inner[:6], inner[-6:], inner[:, :6], inner[:, -6:] = False, False, False, False
    around = np.ones((3, 3) if scale < 1 else (5, 5), np.uint8)
    for one, other in ((drawn, mask == 1), (mask == 1, drawn)):
        well_inside = cv2.erode(one.astype(np.uint8), around) == 1
        assert not (well_inside & ~other & inner).any()


def test_what_joins_in_the_tile_joins_in_the_crop():
    graph = crossing()
    matrix = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, SIDE]])
    rows = moved_segments(segments_of(graph, 1.0), matrix, SIDE)
    parts = list(nx.connected_components(nx.Graph(as_network(rows))))
    assert sorted(map(len, parts)) == [2, 5]
    assert length(rows) == pytest.approx(length(segments_of(graph, 1.0)))


def test_a_road_that_leaves_the_crop_and_comes_back_is_two():
    graph = empty_network()
    add_road(graph, 0, 1, [(10.0, 10.0), (50.0, -20.0), (90.0, 10.0)])
    rows = within_box(segments_of(graph, 1.0), (0.0, 0.0, 96.0, 96.0))
    assert nx.number_connected_components(nx.Graph(as_network(rows))) == 2


@settings(max_examples=60, deadline=None)
@given(
    left=st.floats(0, 60), top=st.floats(0, 60), width=st.floats(0.5, 60), height=st.floats(0.5, 60)
)
def test_inside_and_outside_of_a_box_are_everything(left, top, width, height):
    rows = segments_of(crossing(), 1.0)
    box = (left, top, left + width, top + height)
    inside, outside = within_box(rows, box), without_box(rows, box)
    assert length(inside) + length(outside) == pytest.approx(length(rows), abs=1e-6)
    middles = (inside[:, :2] + inside[:, 2:4]) / 2
    assert (middles >= np.array(box[:2]) - 1e-6).all()
    assert (middles <= np.array(box[2:]) + 1e-6).all()
    both = np.concatenate([outside[:, 4:], inside[:, 4:] + 1e6])
    assert len(np.unique(both)) >= len(np.unique(rows[:, 4:]))


def test_mixed_and_pasted_samples_hold_the_roads_that_they_show():
    first, second = segments_of(crossing(), 1.0), segments_of(crossing(), 1.0)
    second[:, :4] = SIDE - second[:, :4]
    mask = draw_roads(crossing(), (SIDE, SIDE), 1.0, 4.0).astype(np.uint8)
    image = np.zeros((3, SIDE, SIDE), np.uint8)
    own = Sample(image, [mask], first)
    other = Sample(image, [mask[::-1, ::-1].copy()], second)
    for seed in range(20):
        joined = mixed(own, other, np.random.default_rng(seed))
        drawn = draw_roads(as_network(joined.roads), (SIDE, SIDE), 1.0, 4.0)
        assert (drawn != (joined.labels[0] == 1)).sum() <= 60, "but for the ends at the rectangle"
    both = pasted(own, other, np.random.default_rng(0))
    drawn = draw_roads(as_network(both.roads), (SIDE, SIDE), 1.0, 4.0)
    assert np.array_equal(drawn, both.labels[0] == 1)
    assert length(beside(first, second)) == pytest.approx(length(first) + length(second))
