"""Readers of image and mask folders, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from roadex.config.dataset import DeepGlobeConfig, FolderConfig
from roadex.data.sources import open_source
from roadex.errors import RoadexError
from roadex.rasters.masks import MaskRules, read_mask
from roadex.rasters.pictures import read_image, write_image
from tests.support.worlds import write_folder, write_pair


def folder(images, masks, **settings):
    return open_source(FolderConfig(images=str(images), masks=str(masks), **settings))


def test_pairs_by_stem_less_the_suffixes(tmp_path):
    for name in "abc":
        write_pair(tmp_path / "i", tmp_path / "m", name, suffixes=("_rgb", "_road"))
    source = folder(tmp_path / "i", tmp_path / "m", image_suffix="_rgb", mask_suffix="_road")
    assert sorted(source.entries) == ["a", "b", "c"]
    tile = source.read("a")
    assert tile.image.shape == (96, 96, 3) and set(np.unique(tile.mask)) == {0, 1}


def test_images_without_masks_are_left_out_and_counted(tmp_path):
    images, masks = write_folder(tmp_path, 5)
    (masks / "tile03.png").unlink()
    source = folder(images, masks)
    assert len(source.entries) == 4
    assert "left out: 1 images without a label (tile03.png)" in source.notes()


def test_road_is_above_the_threshold(tmp_path):
    write_image(tmp_path / "m.png", np.array([[127, 128]], np.uint8))
    assert read_mask(tmp_path / "m.png", MaskRules(above=127)).road.tolist() == [[0, 1]]


def bad_inputs(tmp_path):
    images, masks = write_folder(tmp_path, 4)
    empty = tmp_path / "empty"
    empty.mkdir()
    return images, masks, empty


def test_missing_or_empty_folders_are_refused(tmp_path):
    images, masks, empty = bad_inputs(tmp_path)
    with pytest.raises(RoadexError, match=r"dataset.images=.*nowhere: there is no such folder"):
        folder(tmp_path / "nowhere", masks)
    with pytest.raises(RoadexError, match=r"dataset.masks=.*empty: no images there"):
        folder(images, empty)


def test_images_may_be_a_pattern_of_vrts(tmp_path):
    pytest.importorskip("rasterio")
    images, masks = write_folder(tmp_path, 4)
    for path in images.glob("*.png"):
        shape = Image.open(path).size
        bands = "".join(
            f'<VRTRasterBand dataType="Byte" band="{n}"><SimpleSource><SourceFilename '
            f'relativeToVRT="1">{path.name}</SourceFilename><SourceBand>{n}</SourceBand>'
            "</SimpleSource></VRTRasterBand>"
            for n in (1, 2, 3)
        )
        path.with_suffix(".vrt").write_text(
            f'<VRTDataset rasterXSize="{shape[0]}" rasterYSize="{shape[1]}">{bands}</VRTDataset>'
        )
    found, whole = folder(images / "*.vrt", masks), folder(images, masks)
    assert {entry.image.suffix for entry in found.entries.values()} == {".vrt"}
    for name in whole.entries:
        np.testing.assert_array_equal(found.read(name).image, whole.read(name).image)
    assert sorted(folder(images / "tile0[12].png", masks).entries) == ["tile01", "tile02"]
    with pytest.raises(RoadexError, match=r"dataset.images=.*\*.tif: no images there"):
        folder(images / "*.tif", masks)
    next(images.glob("*.vrt")).write_text("<VRTDataset>http://example.com/a.tif</VRTDataset>")
    with pytest.raises(RoadexError, match="this VRT reads from the network"):
        folder(images / "*.vrt", masks)


def test_no_pair_at_all_is_refused_with_the_remedy(tmp_path):
    write_pair(tmp_path / "i", tmp_path / "m", "a", suffixes=("_rgb", "_road"))
    with pytest.raises(RoadexError, match=r"no image has a label.*set dataset.image_suffix"):
        folder(tmp_path / "i", tmp_path / "m")


def test_mask_of_another_size_is_refused_by_name(tmp_path):
    images, masks = write_folder(tmp_path, 4)
    write_image(masks / "tile01.png", np.zeros((50, 60), np.uint8))
    with pytest.raises(RoadexError, match=r"tile01.png: 60x50 pixels, but its image .* 96x96"):
        folder(images, masks).read("tile01")


@pytest.mark.parametrize("keep", [0, 20, 300])
def test_damaged_file_is_refused_by_name(tmp_path, keep):
    images, masks = write_folder(tmp_path, 4)
    data = (images / "tile02.png").read_bytes()
    (images / "tile02.png").write_bytes(data[:keep])
    with pytest.raises(RoadexError, match=r"tile02.png: not a readable image"):
        folder(images, masks).read("tile02")


def test_more_than_eight_bits_are_refused(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(RoadexError, match=r"deep.png: more than 8 bits"):
        read_image(tmp_path / "deep.png")


def test_real_deepglobe_tiles_are_read_as_downloaded(real_data):
    source = open_source(DeepGlobeConfig(root=str(real_data / "deepglobe")))
    assert list(source.entries) == ["113", "388"]
    for name, entry in source.entries.items():
        channels = np.array(Image.open(entry.label))
        assert channels.shape == (1024, 1024, 3)
        tile = source.read(name)
        assert tile.image.shape == (1024, 1024, 3) and tile.graph is None
        for channel in range(3):
            assert np.array_equal(tile.mask, channels[..., channel] // 255)
        assert 0.005 < tile.mask.mean() < 0.3


def test_unlabelled_real_deepglobe_images_are_counted(real_data):
    source = open_source(DeepGlobeConfig(root=str(real_data / "deepglobe")))
    assert source.notes() == [
        "2 images with labels",
        "left out: 4 images without a label (19438_sat.jpg, 206_sat.jpg, 457490_sat.jpg, ...)",
    ]


def test_deepglobe_images_without_masks_are_left_out(real_data):
    with pytest.raises(RoadexError, match="no image has a label"):
        open_source(DeepGlobeConfig(root=str(real_data / "deepglobe" / "valid")))


def test_real_epfl_tiles_are_read(real_data):
    source = folder(real_data / "epfl" / "images", real_data / "epfl" / "groundtruth")
    assert len(source.entries) == 80
    assert source.read("satImage_001").image.shape == (400, 400, 3)
