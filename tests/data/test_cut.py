"""Crops of a tile: any offset, any size, turned and scaled with their labels."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.data.augment import cut, cut_turned
from roadex.graph.network import add_road, empty_network, position
from roadex.graph.raster import connectivity_map, draw_roads


def test_crop_as_large_as_the_tile_is_the_tile():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    (same,), _ = cut((image,), 4, np.random.default_rng(0))
    assert np.array_equal(same, image)


def test_crop_larger_than_the_tile_has_ignored_labels():
    image, mask = np.ones((4, 6, 3), np.uint8), np.ones((4, 6), np.uint8)
    (grown, labels), _ = cut((image, mask), 8, np.random.default_rng(0))
    assert grown.shape == (8, 8, 3) and grown.all()
    assert (
        (labels[:4, :6] == 1).all() and (labels[4:] == 255).all() and (labels[:, 6:] == 255).all()
    )


def test_all_offsets_of_a_crop_occur():
    tile = np.arange(25, dtype=np.uint8).reshape(5, 5)
    corners = {int(cut((tile,), 3, np.random.default_rng(s))[0][0][0, 0]) for s in range(200)}
    assert corners == {0, 1, 2, 5, 6, 7, 10, 11, 12}


def street() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A tile whose image shows its road mask, with a crossing of roads, and its connectivity."""
    graph = empty_network()
    centre = (48.0, 50.0)
    for index, end in enumerate([(96.0, 20.0), (0.0, 60.0), (60.0, 96.0)], start=1):
        add_road(graph, 0, index, [centre, end])
    assert position(graph, 0) == centre
    mask = draw_roads(graph, (96, 96), 1.0, 12.0).astype(np.uint8)
    labels = connectivity_map(graph, (96, 96), 1.0, 12.0)
    return np.repeat(mask[:, :, None] * 255, 3, axis=2), mask, labels


@pytest.mark.parametrize("seed", range(12))
def test_image_and_labels_are_turned_and_scaled_together(seed):
    rng = np.random.default_rng(seed)
    degrees, scale = rng.uniform(-180, 180), rng.uniform(0.7, 2.5)
    (image, mask, labels), _ = cut_turned(street(), 48, degrees, scale, rng)
    known = mask != 255
    assert ((image[:, :, 0] > 127) == (mask == 1))[known].mean() > 0.97
    assert set(np.unique(labels)) <= {0, 1, 2, 3, 255}
    assert ((labels > 0) == (mask == 1))[known].mean() > 0.97


def test_scale_magnifies():
    """The junction's disc, where a crop holds it whole, grows with the square of the scale."""
    tile = street()
    largest = {
        scale: max(
            int((cut_turned(tile, 40, 0, scale, np.random.default_rng(seed))[0][2] == 3).sum())
            for seed in range(100)
        )
        for scale in (1.0, 2.0)
    }
    assert largest[2.0] == pytest.approx(4 * largest[1.0], rel=0.05)


def test_no_turn_and_no_scale_is_a_plain_cut():
    tile = street()
    for seed in range(5):
        (image, mask, _), _ = cut_turned(tile, 96, 0.0, 1.0, np.random.default_rng(seed))
        assert np.array_equal(image, tile[0]) and np.array_equal(mask, tile[1])


def test_quarter_turn_is_exact():
    tile = street()
    (_, mask, labels), _ = cut_turned(tile, 96, 90.0, 1.0, np.random.default_rng(0))
    assert np.array_equal(mask, np.rot90(tile[1], 1)) or np.array_equal(mask, np.rot90(tile[1], -1))
    assert (labels != 255).all()


def test_what_lies_outside_the_tile_is_ignored_and_only_that():
    (_, mask, labels), _ = cut_turned(street(), 96, 45.0, 1.0, np.random.default_rng(0))
    assert mask[0, 0] == labels[0, 0] == 255 and mask[48, 48] != 255
