"""Training crops: reproducible whoever cuts them, aligned, and of any tile size."""

from __future__ import annotations

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from roadex.config.augment import AugmentConfig
from roadex.config.dataset import FolderConfig
from roadex.data.augment import Augmentation
from roadex.data.crops import CropDataset, DrawSampler, OpenTiles, crop_loader
from roadex.data.mixing import Sample, pasted
from roadex.data.prepare import prepare
from tests.support.worlds import write_folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("folder")
    images, masks = write_folder(root, 30)
    config = FolderConfig(
        images=str(images), masks=str(masks), cache=str(root / "cache"), workers=1
    )
    return prepare(config, classes=5)


def crops(dataset, size=64, seed=0, augment=None):
    dataset = replace(dataset, crops_per_tile=2)
    return CropDataset(dataset, size, Augmentation(augment or AugmentConfig()), seed)


def epoch_of(dataset, workers, epoch):
    loader = crop_loader(crops(dataset), 4, workers, pin=False)
    loader.batch_sampler.epoch = epoch
    return [batch["image"] for batch in loader]


def test_epoch_is_the_same_for_any_number_of_workers(dataset):
    alone, helped = epoch_of(dataset, 0, 1), epoch_of(dataset, 2, 1)
    assert all(torch.equal(a, b) for a, b in zip(alone, helped, strict=True))


class CountThreads(Augmentation):
    """Writes OpenCV's number of threads into every image."""

    def moved(self, arrays, size, rng, zoom=1.0):
        (image, *others), motion = super().moved(arrays, size, rng, zoom)
        return (np.full_like(image, cv2.getNumThreads()), *others), motion


def test_a_loading_process_takes_one_core(dataset):
    data = crops(dataset)
    data.augmentation = CountThreads(AugmentConfig())
    before = cv2.getNumThreads()
    cv2.setNumThreads(4)
    try:
        loader = crop_loader(data, 4, 1, pin=False)
        assert all((batch["image"] == 1).all() for batch in loader)
    finally:
        cv2.setNumThreads(before)


def test_epochs_and_seeds_differ(dataset):
    first, second = epoch_of(dataset, 0, 0), epoch_of(dataset, 0, 1)
    assert not any(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(crops(dataset)[0]["image"], crops(dataset, seed=1)[0]["image"])


def test_an_epoch_visits_every_tile_equally_often(dataset):
    data = crops(dataset)
    names = [data._tile_name(draw) for draw in range(len(data), 2 * len(data))]
    assert sorted(names) == sorted(dataset.splits["train"] * 2)


def test_draws_of_an_epoch_do_not_repeat(dataset):
    data = crops(dataset)
    seen = {data[draw]["image"].numpy().tobytes() for draw in range(len(data))}
    assert len(seen) == len(data)


def test_labels_lie_on_the_image(dataset):
    """The streets of the test world are brighter than everything else."""
    plain = AugmentConfig()
    for draw in range(10):
        crop = crops(dataset, augment=plain)[draw]
        road = crop["mask"] == 1
        grey = crop["image"].float().mean(dim=0)
        assert not road.any() or grey[road].min() > grey[~road].max()
        assert (crop["connectivity"][crop["mask"] == 0] != 4).all()


def test_orientation_lies_on_the_road_and_changes_no_other_array(dataset):
    """The street of each tile is straight, its centre line less so: most pixels have one way."""
    plain = crops(dataset, augment=AugmentConfig(rotation=30))
    augmentation = Augmentation(AugmentConfig(rotation=30))
    with_labels = CropDataset(plain.dataset, 64, augmentation, 0, orientation=True)
    shares = []
    for draw in range(10):
        crop, same = with_labels[draw], plain[draw]
        assert all(torch.equal(crop[key], same[key]) for key in same)
        labels = crop["orientation"].long()
        road = labels[(labels > 0) & (labels < 255)]
        counts = torch.bincount((road - 1) % 18, minlength=18)
        shares.append(float((counts + counts.roll(1)).max() / len(road)) if len(road) else 1.0)
        assert (crop["mask"] == 1).any() <= (len(road) > 0)
    assert np.mean(shares) > 0.5  # by chance 2 of 18 bins hold 0.11
    assert {path.parent.name for path in dataset.folder.rglob("directions.npy")} <= set(
        dataset.splits["train"]
    )
    assert any(dataset.folder.rglob("directions.npy")), "they are drawn once and kept"


def test_mixed_crops_show_another_with_its_labels_in_a_rectangle(dataset):
    plain, some = crops(dataset), crops(dataset, augment=AugmentConfig(mix=1.0))
    assert not any(
        torch.equal(plain[draw]["image"], some[draw]["image"]) for draw in range(len(plain))
    )
    for draw in range(10):
        own, both = plain[draw], some[draw]
        changed = (own["image"] != both["image"]).any(dim=0)
        rows, columns = (changed.any(dim=axis).nonzero().flatten() for axis in (1, 0))
        inside = torch.zeros_like(changed)
        inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        assert 0.1 < inside.float().mean() < 0.65
        assert torch.equal(own["mask"][~inside], both["mask"][~inside])
        # The street is brighter than all else, in the rectangle as well.
        road, grey = both["mask"] == 1, both["image"].float().mean(dim=0)
        assert not road.any() or grey[road].min() > grey[~road].max()
    assert torch.equal(some[3]["image"], crops(dataset, augment=AugmentConfig(mix=1.0))[3]["image"])


def test_pasted_crops_hold_the_roads_of_both_crops(dataset):
    plain, some = crops(dataset), crops(dataset, augment=AugmentConfig(paste=1.0))
    added = 0
    for draw in range(10):
        own, both = plain[draw], some[draw]
        assert not (own["mask"] == 1)[both["mask"] == 0].any(), "no road is lost"
        new = both["mask"] != own["mask"]
        added += int(new.sum())
        road, grey = both["mask"] == 1, both["image"].float().mean(dim=0)
        assert not road.any() or grey[road].mean() > grey[~road].mean() + 20
        far = torch.nn.functional.max_pool2d(road.float()[None], 9, 1, 4)[0] == 0
        assert torch.equal(own["image"][:, far], both["image"][:, far])
        assert ((both["connectivity"] > 0) & (both["connectivity"] < 255) & far).sum() == 0
    assert added > 0
    assert torch.equal(
        some[3]["image"], crops(dataset, augment=AugmentConfig(paste=1.0))[3]["image"]
    )


def test_a_pasted_road_takes_a_share_of_the_way_to_the_colour_of_the_own_roads():
    own, other = np.full((3, 40, 40), 60, np.uint8), np.full((3, 40, 40), 200, np.uint8)
    mine, its = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
    mine[:10], its[:, 15:30] = 1, 1
    shown = {
        int(
            pasted(Sample(own, [mine]), Sample(other, [its]), np.random.default_rng(seed)).image[
                0, 30, 22
            ]
        )
        for seed in range(20)
    }
    assert 60 <= min(shown) < 90 and 170 < max(shown) <= 200
    bare = pasted(
        Sample(own, [np.zeros_like(mine)]), Sample(other, [its]), np.random.default_rng(0)
    )
    assert bare.image[0, 30, 22] == 200, "without own roads there is no colour to move to"


def test_sampler_gives_a_smaller_batch_rather_than_none():
    assert list(DrawSampler(3, 8)) == [[0, 1, 2]]


def test_only_the_last_tiles_stay_open(dataset):
    tiles = OpenTiles(dataset, most=2)
    names = dataset.splits["train"][:3]
    first, *_ = [tiles(name) for name in names]
    assert tiles(names[2]) is tiles(names[2]) and tiles(names[0]) is not first
    copy = pickle.loads(pickle.dumps(tiles))
    assert np.array_equal(copy(names[1]).image, tiles(names[1]).image)
    assert len(pickle.dumps(tiles)) < tiles(names[1]).image.nbytes
