"""Augmentation changes image and labels alike, and nothing that it is told to leave."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.config.training import AugmentConfig
from roadex.data.augment import Augmentation
from roadex.errors import RoadexError


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
