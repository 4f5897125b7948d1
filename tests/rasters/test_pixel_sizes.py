"""All commands read the size of pixels from files in the same way."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.config.dataset import FolderConfig
from roadex.data.sources import open_source
from roadex.data.sources.folder import located
from roadex.errors import RoadexError
from roadex.geo.grid import Georeference
from roadex.graph.formats import read_network
from roadex.graph.network import total_length
from roadex.prediction.pipeline import ReadingOptions, open_view
from roadex.prediction.scene import open_scene
from roadex.rasters.pictures import world_file_pixel, write_image
from roadex.rasters.rasters import recorded_pixel, write_raster
from tests.support.stand_ins import bright_model

pytest.importorskip("rasterio")
SIDE = 64


def world_file(path, across=0.25, turn=0.0, down=-0.25):
    path.write_text("\n".join(str(n) for n in (across, turn, turn, down, 660000.0, 4012000.0)))


def picture(path, gsd=None):
    """A black picture with a straight road of 40 pixels' length across its middle."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[28:36, 12:52] = 255
    write_image(path, np.dstack([pixels] * 3) if path.suffix == ".jpg" else pixels)
    if gsd is not None:
        world_file(path.with_suffix(path.suffix[:2] + path.suffix[-1] + "w"), gsd, down=-gsd)
    return path


@pytest.mark.parametrize("name", ["a.pgw", "a.pngw", "a.wld"])
def test_a_world_file_tells_the_pixel_size(tmp_path, name):
    world_file(tmp_path / name)
    assert world_file_pixel(tmp_path / "a.png") == (0.25, 0.25)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: world_file(path, 2e-6, down=-2e-6),
        lambda path: world_file(path, turn=0.1),
        lambda path: path.write_text("0.25\n0\n0"),
        lambda path: path.write_bytes(b"\xff\xfe\x00 1 2 3 4 5"),
        lambda path: path.write_text("one two three four five six"),
    ],
    ids=["degrees", "turned", "short", "binary", "words"],
)
def test_a_world_file_that_tells_no_metres_is_left_alone(tmp_path, spoil):
    spoil(tmp_path / "a.pgw")
    assert world_file_pixel(tmp_path / "a.png") is None


@pytest.mark.parametrize("gsd", [0.5, 2.0])
def test_the_length_of_a_mask_follows_its_world_file(tmp_path, gsd):
    plain = total_length(read_network(picture(tmp_path / "plain.png")))
    located_one = total_length(read_network(picture(tmp_path / "mask.png", gsd)))
    assert located_one == pytest.approx(plain * gsd, rel=0.05)


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg"])
def test_prediction_takes_the_pixel_size_of_a_world_file(tmp_path, name):
    path = picture(tmp_path / name, 0.25)
    for told, expected in ((None, 0.25), (0.5, 0.5)):
        with open_scene(path) as scene:
            view, notes = open_view(scene, bright_model(0.5), ReadingOptions(gsd=told))
        assert view.pixel_m == (expected, expected)
        assert view.shape == (SIDE * expected / 0.5,) * 2
        assert ("as its geotransform says" in notes[0]) == (told is None)


def georeferenced(path, metres):
    grid = Georeference("EPSG:32611", (660000.0, 4012000.0), (metres, -metres), (SIDE, SIDE))
    write_raster(path, np.zeros((SIDE, SIDE, 3), np.uint8), grid)


def folder(tmp_path, **settings):
    images, masks = str(tmp_path / "images"), str(tmp_path / "masks")
    return FolderConfig(images=images, masks=masks, **settings)


def test_a_folder_takes_its_pixel_size_from_its_images(tmp_path):
    georeferenced(tmp_path / "images" / "a.tif", 0.3)
    assert recorded_pixel(tmp_path / "images" / "a.tif") == pytest.approx((0.3, 0.3))
    assert located(folder(tmp_path, gsd=0)).gsd == 0.3
    assert located(folder(tmp_path, gsd=0.5)).gsd == 0.5


def test_a_folder_of_plain_pictures_needs_a_gsd(tmp_path):
    picture(tmp_path / "images" / "a.png")
    with pytest.raises(RoadexError, match=r"dataset.gsd is needed: a.png .*dataset.gsd=METRES"):
        located(folder(tmp_path, gsd=0))
    world_file(tmp_path / "images" / "a.pgw")
    assert located(folder(tmp_path, gsd=0)).gsd == 0.25


def test_images_are_resampled_to_the_pixel_size_that_is_asked_for(tmp_path):
    georeferenced(tmp_path / "images" / "a.tif", 0.3)
    picture(tmp_path / "masks" / "a.png")
    as_they_are = open_source(folder(tmp_path, gsd=0.301)).read("a")
    assert as_they_are.image.shape == (SIDE, SIDE, 3) and not as_they_are.notes
    coarse = open_source(folder(tmp_path, gsd=0.9)).read("a")
    assert coarse.image.shape == (round(SIDE / 3), round(SIDE / 3), 3)
    assert coarse.mask.shape == coarse.image.shape[:2]
    road = [np.mean(tile.mask == 1) for tile in (as_they_are, coarse)]
    assert road[1] == pytest.approx(road[0], abs=0.03)
    assert coarse.notes == ("resampled from pixels of 0.3 x 0.3 m to 0.9 m",)
