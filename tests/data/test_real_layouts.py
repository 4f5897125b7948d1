"""Real tiles of each dataset through its reader."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

from roadex.config.dataset import (
    CityScaleConfig,
    FolderConfig,
    LabelConfig,
    MassachusettsConfig,
    RoadWidthConfig,
    SpaceNetConfig,
    StretchConfig,
)
from roadex.config.labels import IGNORE
from roadex.data.prepared import TileRecipe, prepare_tile
from roadex.data.sources import open_source
from roadex.data.sources.line_labels import OwnLines
from roadex.data.stretch import calibrate
from roadex.errors import RoadexError
from roadex.graph.network import total_length
from roadex.rasters.pictures import write_image
from roadex.rasters.rasters import read_raster

SOLARIS = "spacenet3/solaris_single_band"


def test_vegas_preview_in_degrees_gets_square_pixels_and_its_lines(real_data):
    source = open_source(SpaceNetConfig(raw=str(real_data / "spacenet3/AOI_2_Vegas")))
    assert list(source.entries) == ["AOI_2_Vegas_img0"]
    assert source.group("AOI_2_Vegas_img0") == "AOI_2_Vegas"
    assert source.histogram("AOI_2_Vegas_img0") is None, "8 bits need no contrast"
    tile = source.read("AOI_2_Vegas_img0")
    across, down = read_raster(source.entries["AOI_2_Vegas_img0"].image).grid.pixel_metres()
    assert (across, down) == pytest.approx((0.2427, 0.2996), abs=2e-4)
    assert tile.image.shape == (round(1300 * down / 0.3), round(1300 * across / 0.3), 3)
    assert (tile.mask != IGNORE).all()
    bright = tile.image[tile.mask == 1].mean(), tile.image[tile.mask == 0].mean()
    assert abs(bright[0] - bright[1]) > 3, "roads look different from the rest where they lie"


@pytest.fixture
def single_band(real_data, tmp_path):
    """The real 16-bit band with its lines, in the layout of SpaceNet."""
    names = {"PAN/AOI_2_Vegas_img1.tif": "road_mask_input.tif"}
    names["geojson/spacenetroads/AOI_2_Vegas_img1.geojson"] = "sample_roads_for_masking.geojson"
    for target, name in names.items():
        (tmp_path / target).parent.mkdir(parents=True)
        shutil.copy(real_data / SOLARIS / name, tmp_path / target)
    return open_source(SpaceNetConfig(raw=str(tmp_path)))


def test_eleven_bit_band_is_stretched_to_eight(single_band):
    (name,) = single_band.entries
    contrast = calibrate([("AOI_2_Vegas", single_band.histogram(name))], StretchConfig())
    tile = single_band.calibrated(contrast).read(name)
    assert (tile.image[..., 0] == tile.image[..., 2]).all()
    assert np.quantile(tile.image, [0.03, 0.97]) == pytest.approx([0, 255], abs=30)


def test_road_surface_agrees_with_the_published_mask(single_band, real_data):
    """That mask has one width throughout: the half-width that fits it best is 2 m."""
    (name,) = single_band.entries
    published = cv2.imread(str(real_data / SOLARIS / "sample_road_raster_mask.tif"), -1)
    reader = single_band.reader
    scores = {}
    for half_width in (1.0, 2.0, 3.0, 6.0):
        widths = RoadWidthConfig(by_type={}, other_m=half_width)
        uniform = type(reader)(reader.gsd, OwnLines(widths), reader.stretch, None, EVEN)
        mask = uniform.read(single_band.entries[name]).mask == 1
        same = cv2.resize(published, mask.shape[::-1], interpolation=cv2.INTER_AREA) > 127
        scores[half_width] = (mask & same).sum() / (mask | same).sum()
    assert max(scores, key=scores.get) == 2.0 and scores[2.0] > 0.85, scores


EVEN = {"all cities": {"low": [1] * 3, "high": [2047] * 3}}


def test_massachusetts_white_area_is_neither_road_nor_ground(real_data):
    raw = str(real_data / "massachusetts/mass_roads_new")
    source = open_source(MassachusettsConfig(raw=raw, gsd=1500 / 1024))
    published = source.division.published
    assert published == {"train": ["10078660_15_1"], "validation": [], "test": ["10378780_15"]}
    white, whole = (source.read(published[split][0]).mask for split in ("train", "test"))
    assert (white == IGNORE).mean() == pytest.approx(0.3216, abs=1e-3)
    assert not (whole == IGNORE).any() and 0.01 < whole.mean() < 0.1


def test_two_editions_of_massachusetts_in_one_folder_are_refused(real_data):
    with pytest.raises(RoadexError, match=r"has the same name '10378780_15'; remove one of them"):
        open_source(MassachusettsConfig(raw=str(real_data / "massachusetts")))


def test_cityscale_pickle_of_numpy_free_tuples_becomes_mask_and_graph(real_data, tmp_path):
    example = real_data / "cityscale_sat2graph/metrics/example"
    shutil.copy(example / "gt.p", tmp_path / "region_8_refine_gt_graph.p")
    write_image(tmp_path / "region_8_sat.png", np.zeros((2048, 2048, 3), np.uint8))
    source = open_source(CityScaleConfig(raw=str(tmp_path)))
    tile = source.read("region_8")
    # One pixel of 1 m: the road's area is its length times its width, less what overlaps.
    area = total_length(tile.graph) * 2 * RoadWidthConfig().other_m
    assert 0.85 < tile.mask.sum() / area < 1.0


def test_lines_with_any_geotiffs(real_data, tmp_path):
    vegas = real_data / "spacenet3/AOI_2_Vegas"
    config = FolderConfig(
        images=str(vegas / "RGB-PanSharpen"), lines=str(vegas / "geojson/spacenetroads"),
        image_suffix="", gsd=0.5,
    )  # fmt: skip
    shutil.copytree(config.lines, tmp_path / "lines")
    lines = next((tmp_path / "lines").iterdir())
    lines.rename(lines.with_name("RGB-PanSharpen_" + lines.name))
    config.lines = str(tmp_path / "lines")
    (tile,) = (open_source(config).read(name) for name in open_source(config).entries)
    recipe = TileRecipe(0.5, 5, LabelConfig())
    prepare_tile(tile, recipe, tmp_path / "made")
    facts = json.loads((tmp_path / "made/tile.json").read_text())
    assert facts["graph_from"] == "vectors" and facts["road_m"] > 2000
