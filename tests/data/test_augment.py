"""Augmentation changes image and labels alike, and leaves the rest as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roadex.config.augment import AugmentConfig
from roadex.data.augment import Augmentation, cut_turned
from roadex.errors import RoadexError
from roadex.graph.network import straight_network
from roadex.graph.raster import connectivity_map


def crop(seed: int = 0, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (size, size, 3)).astype(np.uint8)
    return image, image[:, :, 0]


@pytest.mark.parametrize("seed", range(20))
def test_image_and_labels_turn_together(seed):
    augment = Augmentation(AugmentConfig())
    image, label = augment(crop(), 32, np.random.default_rng(seed))
    assert np.array_equal(image[:, :, 0], label)


def test_all_eight_symmetries_occur():
    augment = Augmentation(AugmentConfig())
    seen = {augment(crop(), 32, np.random.default_rng(seed))[1].tobytes() for seed in range(200)}
    assert len(seen) == 8


def test_jitter_stays_in_its_range_and_leaves_labels_alone():
    config = AugmentConfig(flip=False, quarter_turns=False, value=15)
    grey = np.full((8, 8, 3), 100, np.uint8)
    label = np.arange(64, dtype=np.uint8).reshape(8, 8)
    values = set()
    for seed in range(200):
        image, same = Augmentation(config)((grey, label), 8, np.random.default_rng(seed))
        assert np.array_equal(same, label)
        values.add(int(image[0, 0, 0]))
    assert min(values) == 85 and max(values) == 115


def test_none_changes_nothing():
    config = AugmentConfig(flip=False, quarter_turns=False)
    image, label = crop()
    changed, same = Augmentation(config)((image, label), 32, np.random.default_rng(0))
    assert np.array_equal(changed, image) and np.array_equal(same, label)


def test_contrast_keeps_the_mean_and_changes_the_spread():
    config = AugmentConfig(flip=False, quarter_turns=False, contrast=0.5)
    image = crop()[0] // 4 + 96
    spreads = []
    for seed in range(50):
        changed, _ = Augmentation(config)((image, image[:, :, 0]), 32, np.random.default_rng(seed))
        assert changed.mean() == pytest.approx(image.mean(), abs=1)
        spreads.append(changed.std() / image.std())
    assert min(spreads) == pytest.approx(0.5, abs=0.1) and max(spreads) == pytest.approx(
        1.5, abs=0.1
    )


def test_scales_in_the_wrong_order_are_refused():
    with pytest.raises(RoadexError, match=r"augment.scale_min=2.0: must not be above"):
        AugmentConfig(scale_min=2.0)


# A cross, a bend and dead ends, none of them near the border of the tile of 200 x 200 m.
ROADS = straight_network(
    [(30, 90), (100, 95), (170, 80), (95, 30), (105, 170), (160, 140)],
    [(0, 1), (1, 2), (1, 3), (1, 4), (4, 5)],
)
SIDE, WIDTH_M = 200, 10.0


@settings(max_examples=30, deadline=None)
@given(degrees=st.floats(-180, 180), scale=st.floats(0.6, 1.8))
@example(degrees=24.5, scale=1.75)
@example(degrees=-26.5, scale=1.2421875)
def test_labels_of_the_turned_graph_are_the_turned_labels(degrees, scale):
    """Apart from pixels on the outline of a label, which the nearest pixel decides."""
    labels = connectivity_map(ROADS, (SIDE, SIDE), 1.0, WIDTH_M, border_m=0)
    image = np.repeat(labels[..., None], 3, axis=2)
    # As large as the whole tile, so that the crop can only lie in its middle.
    size = int(np.ceil(SIDE * scale))
    (_, turned), _ = cut_turned((image, labels), size, degrees, scale, np.random.default_rng(0))
    graph = seen_from_the_crop(ROADS, degrees, scale, size)
    wanted = connectivity_map(graph, (size, size), 1 / scale, WIDTH_M, border_m=0)
    # The nearest pixel's centre is up to half the diagonal of a magnified pixel away, and between
    # two centres of the crop a label may begin and end.
    reach = 1 if scale <= 1 else int(np.ceil(np.sqrt(0.5) * scale)) + 1
    around = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    clear = (turned != 255) & (cv2.dilate(wanted, around) == cv2.erode(wanted, around))
    assert np.array_equal(turned[clear], wanted[clear])
    assert {1, 2, 4} <= set(np.unique(turned[clear]))


def seen_from_the_crop(graph, degrees, scale, size):
    """The roads in metres of the image frame of a crop about the middle of the tile."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    places = np.array([[data["x"], data["y"]] for _, data in graph.nodes(data=True)])
    seen = (places - SIDE / 2) @ turn.T + size / scale / 2
    return straight_network([tuple(place) for place in seen], list(graph.edges()))


def test_blur_and_occlusion_change_the_image_only():
    config = AugmentConfig(flip=False, quarter_turns=False, blur=2.0, occlusions=3)
    image, label = crop(size=64)
    changed, same = Augmentation(config)((image, label), 64, np.random.default_rng(1))
    assert np.array_equal(same, label) and not np.array_equal(changed, image)
    assert changed.astype(float).std() < image.astype(float).std()


def test_occlusion_hides_no_more_than_it_may():
    config = AugmentConfig(flip=False, quarter_turns=False, occlusions=2, occlusion_px=10)
    image, label = crop(size=64)
    hidden = set()
    for seed in range(50):
        changed, _ = Augmentation(config)((image, label), 64, np.random.default_rng(seed))
        hidden.add(int((changed != image).any(axis=2).sum()))
    assert 0 in hidden and 100 < max(hidden) <= 200
