"""Several datasets in one training."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from roadex.config.augment import AugmentConfig
from roadex.config.dataset import FolderConfig, SyntheticConfig
from roadex.config.world import WorldSettings
from roadex.data.augment import Augmentation
from roadex.data.combined import combined
from roadex.data.crops import CropDataset
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
        gsd=0.5,
        world=WorldSettings(size_px=96),
        train_tiles=3,
        validation_tiles=1,
        test_tiles=1,
        crops_per_tile=5,
        cache=str(root / "cache"),
        workers=1,
    )
    return prepare(main, 5), world, prepare(world, 5)


def both_of(pair, main_weight=1.0, **settings):
    main, config, world = pair
    return combined(main, main_weight, {"world": (replace(config, **settings), world)})


def test_splits_join_as_the_settings_say(pair):
    main, _, world = pair
    lent = both_of(pair, use=["train"])
    assert lent.splits["validation"] == main.splits["validation"]
    assert (lent.mean, lent.std, lent.gsd) == (main.mean, main.std, main.gsd)
    everything = both_of(pair)
    for split, names in everything.splits.items():
        own = [f"world@{name}" for name in world.splits[split]]
        assert names == [*main.splits[split], *own]


def test_tiles_are_read_where_they_lie(pair):
    _, _, world = pair
    both = both_of(pair)
    for name, original in zip(both.splits["train"][-3:], world.splits["train"], strict=True):
        assert np.array_equal(both.tile(name).image, world.tile(original).image)
        assert len(both.graph(name)) == len(world.graph(original))
        assert both.member(name).gsd == world.gsd == 0.5


def drawn_in(crops: CropDataset, epoch: int) -> Counter[str]:
    first = epoch * len(crops)
    return Counter(crops._tile_name(draw) for draw in range(first, first + len(crops)))


def test_an_epoch_draws_each_tile_as_often_as_its_dataset_says(pair):
    main, _, _ = pair
    both = both_of(pair)
    crops = CropDataset(both, 64, Augmentation(AugmentConfig()), seed=0)
    assert drawn_in(crops, 0) == {
        **dict.fromkeys(main.splits["train"], 2),
        **dict.fromkeys(both.splits["train"][-3:], 5),
    }


def test_tiles_of_a_light_dataset_take_turns(pair):
    main, _, _ = pair
    both = both_of(
        pair, 0.25, weight=0.4
    )  # every second tile of the folder, each of the world twice
    crops = CropDataset(both, 64, Augmentation(AugmentConfig()), seed=0)
    epochs = [drawn_in(crops, epoch) for epoch in range(2)]
    assert {sum(epoch.values()) for epoch in epochs} == {round(len(main.splits["train"]) / 2) + 6}
    together = epochs[0] + epochs[1]
    assert {together[name] for name in main.splits["train"]} == {1}
    assert {together[name] for name in both.splits["train"][-3:]} == {4}


def test_crops_come_at_the_pixel_size_and_in_the_colours_of_the_training(pair):
    main, _, world = pair  # 1 m and 0.5 m
    plain = Augmentation(AugmentConfig(flip=False, quarter_turns=False))

    def crop(size, **settings):
        both = both_of(pair, use=["train"], **settings)
        crops = CropDataset(both, size, plain, seed=0)
        sample = crops._cut(both.splits["train"][-1], np.random.default_rng(0))
        return [sample.image, *sample.labels]

    image, mask, _ = crop(48)
    whole = world.tile(world.splits["train"][-1])
    assert abs(np.mean(mask == 1) - np.mean(whole.mask == 1)) < 0.02  # the whole 96 px in 48
    assert np.allclose(image.mean((1, 2)), whole.image.mean((0, 1)), atol=1)
    same = crop(96, resample=False)
    assert np.array_equal(same[0].transpose(1, 2, 0), whole.image)
    own = crop(96, resample=False, normalize="own")[0] / 255
    pixels = whole.image / 255
    expected = (pixels - world.mean) / world.std * np.array(main.std) + main.mean
    inside = (expected > 0.01) & (expected < 0.99)
    assert np.allclose(own.transpose(1, 2, 0)[inside], expected[inside], atol=0.003)


def test_what_does_not_fit_is_refused(pair):
    main, config, world = pair
    with pytest.raises(RoadexError, match=r"datasets.world has 4 connectivity classes"):
        combined(main, 1, {"world": (config, replace(world, classes=4))})
    with pytest.raises(RoadexError, match=r"datasets.world.use: tests is no split"):
        both_of(pair, use=["tests"])
