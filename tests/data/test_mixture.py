"""A second dataset that lends its training tiles."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from roadex.config.augment import AugmentConfig
from roadex.config.dataset import FolderConfig, SyntheticConfig
from roadex.config.world import WorldSettings
from roadex.data.augment import Augmentation
from roadex.data.crops import CropDataset
from roadex.data.mixture import with_extra
from roadex.data.prepare import prepare
from roadex.errors import RoadexError
from tests.support.worlds import write_folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    root = tmp_path_factory.mktemp("mixture")
    images, masks = write_folder(root, 30)
    main = FolderConfig(
        images=str(images),
        masks=str(masks),
        cache=str(root / "cache"),
        workers=1,
        crops_per_tile=2,
    )
    world = SyntheticConfig(
        world=WorldSettings(size_px=96),
        train_tiles=3,
        validation_tiles=1,
        test_tiles=1,
        crops_per_tile=5,
        cache=str(root / "cache"),
        workers=1,
    )
    return prepare(main, 5), prepare(world, 5)


def test_only_training_tiles_are_lent(pair):
    main, world = pair
    both = with_extra(main, world)
    assert len(both.splits["train"]) == len(main.splits["train"]) + 3
    assert both.splits["validation"] == main.splits["validation"]
    assert both.splits["test"] == main.splits["test"]
    assert (both.mean, both.std, both.gsd) == (main.mean, main.std, main.gsd)


def test_lent_tiles_are_read_where_they_lie(pair):
    main, world = pair
    both = with_extra(main, world)
    lent = both.splits["train"][-3:]
    for name, original in zip(lent, world.splits["train"], strict=True):
        assert np.array_equal(both.tile(name).image, world.tile(original).image)
        assert len(both.graph(name)) == len(world.graph(original))


def test_an_epoch_draws_each_tile_as_often_as_its_dataset_says(pair):
    main, world = pair
    both = with_extra(main, world)
    crops = CropDataset(both, 64, Augmentation(AugmentConfig()), seed=0)
    drawn = Counter(crops._tile_name(draw) for draw in range(len(crops)))
    assert drawn == {
        **dict.fromkeys(main.splits["train"], 2),
        **dict.fromkeys(both.splits["train"][-3:], 5),
    }


def test_other_classes_are_refused(pair):
    main, world = pair
    with pytest.raises(RoadexError, match="classes"):
        with_extra(main, replace(world, classes=4))
