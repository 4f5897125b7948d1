"""Labels that lie where the roads are raise no alarm; labels that were moved are found."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.config.labels import IGNORE
from roadex.inspection.alignment import alignment, common
from roadex.inspection.survey import CLEARLY
from roadex.rasters.masks import MaskRules, read_mask
from roadex.rasters.pictures import read_image
from roadex.world import WorldSettings, make_tile

GSD = 0.5


def moved(mask, metres, gsd):
    """The mask (H, W) moved right and down."""
    right, down = (round(part / gsd) for part in metres)
    return np.roll(mask, (down, right), axis=(0, 1))


@pytest.fixture(scope="module")
def world():
    """Image and mask of tiles of the built-in world that show enough of a road."""
    tiles = [make_tile(WorldSettings(size_px=384, gsd=GSD), 7, index) for index in range(6)]
    return [(t.image, t.mask.astype(np.uint8)) for t in tiles if t.mask.mean() > 0.03]


def test_world_is_sound_and_its_moved_labels_are_found_with_the_way_back(world):
    assert len(world) >= 4
    for image, mask in world:
        assert alignment(image, mask, GSD).gain < CLEARLY
        found = alignment(image, moved(mask, (9.0, -7.0), GSD), GSD)
        assert found.gain > CLEARLY
        assert found.best == pytest.approx((-9.0, 7.0), abs=1.5)


def test_labels_that_are_all_moved_alike_are_found_together(world):
    def together(metres):
        return common([alignment(image, moved(mask, metres, GSD), GSD) for image, mask in world])

    assert together((0, 0)).gain == 0 and together((4, 4)).gain > 0.01
    assert together((4, 4)).best == pytest.approx((-4.0, -4.0), abs=1.0)


def test_brightness_and_polarity_do_not_matter(world):
    image, mask = world[0]
    dark, negative = (image // 3).astype(np.uint8), 255 - image
    for picture in (dark, negative):
        assert alignment(picture, mask, GSD).gain < CLEARLY
        assert alignment(picture, moved(mask, (10.0, 6.0), GSD), GSD).gain > CLEARLY


def test_ignored_pixels_have_no_say(world):
    image, mask = (array.copy() for array in world[0])
    expected = alignment(image, mask, GSD).best
    image[:60], mask[:60] = 255, IGNORE
    assert alignment(image, mask, GSD).best == pytest.approx(expected, abs=1.0)


def test_too_little_road_is_not_measured():
    mask = np.zeros((128, 128), np.uint8)
    mask[60:62, :60] = 1
    assert alignment(np.zeros((128, 128, 3), np.uint8), mask, GSD) is None


def test_tiles_smaller_than_the_reach_are_measured_too():
    mask = np.zeros((24, 24), np.uint8)
    mask[8:14] = 1
    image = np.repeat((mask * 200)[..., None], 3, axis=2)
    assert alignment(image, mask, 1.0).gain == pytest.approx(0, abs=1e-6)


def test_few_real_labels_are_suspected_and_most_moved_ones(real_data):
    names = [path.name for path in sorted((real_data / "epfl/images").iterdir())]
    rng = np.random.default_rng(0)
    sound, found = [], []
    for name in names:
        image = read_image(real_data / "epfl/images" / name)
        mask = read_mask(real_data / "epfl/groundtruth" / name, MaskRules(above=127)).road
        turn = rng.random() * 2 * np.pi
        away = moved(mask, (10 * np.cos(turn), 10 * np.sin(turn)), 0.25)
        sound += [a.gain > CLEARLY for a in [alignment(image, mask, 0.25)] if a]
        found += [a.gain > CLEARLY for a in [alignment(image, away, 0.25)] if a]
    assert np.mean(sound) <= 0.05 and np.mean(found) >= 0.75
