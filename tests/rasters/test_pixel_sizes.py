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
        lambda path: path.write_text("0.25\n0\n0"),
        lambda path: path.write_bytes(b"\xff\xfe\x00 1 2 3 4 5"),
        lambda path: path.write_text("one two three four five six"),
    ],
    ids=["degrees", "short", "binary", "words"],
)
def test_a_world_file_that_tells_no_metres_is_left_alone(tmp_path, spoil):
    spoil(tmp_path / "a.pgw")
    assert world_file_pixel(tmp_path / "a.png") is None


def test_a_turned_picture_has_pixels_of_a_size_too(tmp_path):
    world_file(tmp_path / "a.pgw", 0.3, 0.4, -0.3)
    assert world_file_pixel(tmp_path / "a.png") == pytest.approx((0.5, 0.5))


def placed_tif(path, crs, place, points=()):
    import rasterio
    from rasterio.control import GroundControlPoint

    shape = {"width": SIDE, "height": SIDE, "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", "GTiff", crs=crs, transform=place, **shape) as file:
        file.write(np.zeros((1, SIDE, SIDE), np.uint8))
        if points:
            file.gcps = [GroundControlPoint(*point) for point in points], crs or rasterio.CRS()
    return path


FOOT = 'LOCAL_CS["site",UNIT["foot",0.3048]]'
METRE = 'LOCAL_CS["site",UNIT["metre",1]]'
PLACES = {
    "feet of a site": (FOOT, (2, 0, 10, 0, -2, 20), 0.6096),
    "metres of a site": (METRE, (0.5, 0, 10, 0, -0.5, 20), 0.5),
    "turned, without a system": (None, (0.3, 0.4, 10, 0.4, -0.3, 20), 0.5),
    "a system, pixels from below": ("EPSG:32611", (1, 0, 0, 0, -1, SIDE), None),
    "a system, pixels from above": ("EPSG:32611", (1, 0, 0, 0, -1, 0), None),
    "degrees, pixels from below": ("EPSG:4326", (1, 0, 0, 0, -1, SIDE), None),
}


@pytest.mark.parametrize("kind", PLACES)
def test_pixels_are_as_large_as_the_raster_says_if_it_says(tmp_path, kind):
    from rasterio import Affine

    crs, place, size = PLACES[kind]
    with open_scene(placed_tif(tmp_path / "a.tif", crs, Affine(*place))) as scene:
        assert scene.pixel_m == (pytest.approx((size, size), rel=1e-4) if size else None)
        assert (scene.grid is None) == (kind != "metres of a site")


NOWHERE = {
    "no size": ("EPSG:32611", (0, 0, 5e5, 0, 0, 4e6), "would be 0 x 0 m"),
    "degrees called metres": ("EPSG:32611", (1e-5, 0, -115, 0, -1e-5, 36), "would be 1e-05 x"),
    "degrees at the pole": ("EPSG:4326", (1e-5, 0, 10, 0, -1e-5, 89.9999), "would be"),
    "northing first": ("EPSG:32611", (1, 0, 4e6, 0, -1, 5e5), "do not fit its coordinate system"),
}


@pytest.mark.parametrize("kind", NOWHERE)
def test_a_raster_that_cannot_lie_where_it_says_is_refused(tmp_path, kind):
    from rasterio import Affine

    crs, place, said = NOWHERE[kind]
    path = placed_tif(tmp_path / "a.tif", crs, Affine(*place))
    with pytest.raises(RoadexError, match=f"a.tif: .*{said}"), open_scene(path):
        pass


@pytest.mark.parametrize("crs", ["EPSG:32611", None])
def test_control_points_are_told_with_or_without_their_system(tmp_path, crs):
    points = [(0, 0, 5e5, 4e6), (0, SIDE, 500_064, 4e6), (SIDE, 0, 5e5, 3_999_936)]
    path = placed_tif(tmp_path / "a.tif", crs, None, points)
    command = "gdalwarp a.tif" if crs else "gdalwarp -s_srs EPSG:... a.tif"
    with pytest.raises(RoadexError, match=f"control points only.*{command}"), open_scene(path):
        pass


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
