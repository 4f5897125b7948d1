"""Augmentation changes image and labels alike, and nothing that it is told to leave."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.config.training import AugmentConfig
from roadex.data.augment import Augmentation


def crop(seed: int = 0, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (size, size, 3)).astype(np.uint8)
    return image, image[:, :, 0]


@pytest.mark.parametrize("seed", range(20))
def test_image_and_labels_turn_together(seed):
    augment = Augmentation(AugmentConfig())
    image, label = augment(crop(), np.random.default_rng(seed))
    assert np.array_equal(image[:, :, 0], label)


def test_all_eight_symmetries_occur():
    augment = Augmentation(AugmentConfig())
    seen = {augment(crop(), np.random.default_rng(seed))[1].tobytes() for seed in range(200)}
    assert len(seen) == 8


def test_jitter_stays_in_its_range_and_leaves_labels_alone():
    config = AugmentConfig(flip=False, quarter_turns=False, value=15)
    grey = np.full((8, 8, 3), 100, np.uint8)
    label = np.arange(64, dtype=np.uint8).reshape(8, 8)
    values = set()
    for seed in range(200):
        image, same = Augmentation(config)((grey, label), np.random.default_rng(seed))
        assert np.array_equal(same, label)
        values.add(int(image[0, 0, 0]))
    assert min(values) == 85 and max(values) == 115


def test_none_changes_nothing():
    config = AugmentConfig(flip=False, quarter_turns=False)
    image, label = crop()
    changed, same = Augmentation(config)((image, label), np.random.default_rng(0))
    assert np.array_equal(changed, image) and np.array_equal(same, label)
