"""Masks of every kind are read correctly if their values are unambiguous, else refused."""

from __future__ import annotations

import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from roadex.config.labels import IGNORE
from roadex.errors import RoadexError
from roadex.rasters.masks import MaskRules, read_mask

rasterio = pytest.importorskip("rasterio")
from rasterio.transform import from_origin  # noqa: E402

ROAD = np.zeros((20, 30), np.bool_)
ROAD[8:12] = True
HEIGHT, WIDTH = ROAD.shape


def tiff(path, pixels, **options):
    bands = pixels if pixels.ndim == 3 else pixels[None]
    profile = {"driver": "GTiff", "count": len(bands), "dtype": bands.dtype}
    with rasterio.open(path, "w", height=HEIGHT, width=WIDTH, **profile, **options) as file:
        file.write(bands)
    return path


def palette(path, colours):
    picture = Image.fromarray(ROAD.astype(np.uint8), "P")
    picture.putpalette([value for colour in colours for value in colour])
    picture.save(path)
    return path


def see_through(path, colours, opacity):
    """A colour table with the opacity of each colour."""
    picture = Image.fromarray(ROAD.astype(np.uint8), "P")
    picture.putpalette([value for colour in colours for value in colour])
    picture.save(path, transparency=bytes(opacity))
    return path


def deep(path, *bands):
    """A PNG of 16 bits with several bands, which Pillow would cut to 8."""
    cv2.imwrite(str(path), np.dstack(bands).astype(np.uint16))
    return path


def png(path, pixels):
    Image.fromarray(pixels).save(path)
    return path


def soft(path):
    values = np.where(ROAD, 255, 0).astype(np.uint8)
    values[7], values[12] = 90, 60
    return png(path, values)


def rgba(path):
    alpha = np.where(ROAD, 255, 0).astype(np.uint8)
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    return png(path, np.dstack([white, alpha]))


def red_on_black(path):
    return png(path, (ROAD[..., None] * np.array([200, 0, 0])).astype(np.uint8))


def drawn_in_alpha(path, ground, road):
    colours = np.where(ROAD[..., None], np.uint8(road), np.uint8(ground))
    return png(path, np.dstack([colours] * 3 + [np.where(ROAD, 255, 0).astype(np.uint8)]))


def elsewhere(path, road, rest):
    """Roads that alone have data, as GRASS and ArcGIS write them."""
    values = np.where(ROAD, road, rest)
    return tiff(path, values, nodata=rest)


def soft_tif(path):
    values = np.where(ROAD, 255, 0).astype(np.uint8)
    values[7], values[12] = 90, 60
    return tiff(path, values, nodata=0)


KINDS = {
    "0 and 1": lambda p: png(p, ROAD.astype(np.uint8)),
    "0 and 255": lambda p: png(p, ROAD.astype(np.uint8) * 255),
    "soft edges": soft,
    "one bit": lambda p: png(p, ROAD),
    "a colour table": lambda p: palette(p, [(0, 0, 0), (128, 0, 0)]),
    "a grey table": lambda p: palette(p, [(0, 0, 0), (255, 255, 255)]),
    "roads in alpha": rgba,
    "a table whose grey is dark": lambda p: palette(p, [(0, 0, 0), (90, 90, 90)]),
    "a table with roads in alpha": lambda p: see_through(p, [(255, 255, 255)] * 2, [0, 255]),
    "a table with black roads in alpha": lambda p: see_through(p, [(0, 0, 0)] * 2, [0, 255]),
    "a deep PNG of 0 and 1": lambda p: deep(p, ROAD, ROAD, ROAD),
    "a deep PNG of one colour": lambda p: deep(p, 0 * ROAD, 0 * ROAD, 40_000 * ROAD),
    "a deep PNG of roads in alpha": lambda p: deep(p, *[ROAD | True] * 3, 65_535 * ROAD),
    "one colour on black": red_on_black,
    "16 bits of 0 and 65535": lambda p: tiff(p, ROAD.astype(np.uint16) * 65535),
    "16 bits of 0 and 1": lambda p: tiff(p, ROAD.astype(np.uint16)),
    "32 bits": lambda p: tiff(p, ROAD.astype(np.uint32)),
    "floats": lambda p: tiff(p, ROAD.astype(np.float32)),
    "black roads on transparent white": lambda p: drawn_in_alpha(p, 255, 0),
    "black roads on transparent black": lambda p: drawn_in_alpha(p, 0, 0),
    "dark roads on transparent white": lambda p: drawn_in_alpha(p, 255, 40),
    "bits of 1, the rest declared": lambda p: elsewhere(p, np.uint8(1), np.uint8(255)),
    "16 bits of 1, the rest -32768": lambda p: elsewhere(p, np.int16(1), np.int16(-32768)),
    "bits of float, the rest no number": lambda p: elsewhere(p, np.float32(1), np.float32("nan")),
    "bits of soft edges, 0 declared": soft_tif,
    "0 declared as no data": lambda p: tiff(p, ROAD.astype(np.uint8), nodata=0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_that_leaves_no_doubt_is_read(tmp_path, kind):
    suffix = ".tif" if "bits" in kind or kind in ("floats", "0 declared as no data") else ".png"
    suffix = ".png" if kind == "one bit" else suffix
    mask = read_mask(KINDS[kind](tmp_path / f"mask{suffix}"))
    np.testing.assert_array_equal(mask.road, ROAD)


@pytest.mark.parametrize("unknown", ["declared", "by custom"])
def test_what_is_unknown_is_ignored(tmp_path, unknown):
    values = ROAD.astype(np.uint8)
    values[:, :5] = 255
    options = {"nodata": 255} if unknown == "declared" else {}
    mask = read_mask(tiff(tmp_path / "mask.tif", values, **options)).road
    assert (mask[:, :5] == IGNORE).all()
    np.testing.assert_array_equal(mask[:, 5:], ROAD[:, 5:])


@pytest.mark.parametrize("kind", ["a grey that is declared", "a colour that is transparent"])
def test_what_a_png_declares_as_unknown_is_ignored(tmp_path, kind):
    values = ROAD.astype(np.uint8)
    values[:, :5] = 2
    picture = Image.fromarray(values, "P" if "colour" in kind else "L")
    if picture.mode == "P":
        picture.putpalette([0, 0, 0, 255, 255, 255, 128, 128, 128])
    picture.save(tmp_path / "mask.png", transparency=2)
    mask = read_mask(tmp_path / "mask.png").road
    assert (mask[:, :5] == IGNORE).all()
    np.testing.assert_array_equal(mask[:, 5:], ROAD[:, 5:])


def test_a_grey_table_of_several_shades_names_numbers_and_not_shades(tmp_path):
    values = ROAD.astype(np.uint8)
    values[:4, ::2] = 2
    picture = Image.fromarray(values, "P")
    picture.putpalette([0, 0, 0, 128, 128, 128, 255, 255, 255])
    picture.save(tmp_path / "mask.png")
    with pytest.raises(RoadexError, match=r"2: 255,255,255.*road_values=\[2\]"):
        read_mask(tmp_path / "mask.png")


@pytest.mark.parametrize("height", [5, 9, 14, 18])
def test_what_is_unknown_stays_so_beside_much_road(tmp_path, height):
    """Tiles of which most that is known is road still know some that is not."""
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[:height] = 1
    values[:, :5] = 255
    mask = read_mask(tiff(tmp_path / "mask.tif", values, nodata=255)).road
    assert (mask[:, :5] == IGNORE).all() and (mask[:height, 5:] == 1).all()


@pytest.mark.parametrize(
    "values",
    [
        ROAD * np.uint8(2),
        np.where(ROAD, 3, 1).astype(np.uint8),
        ROAD * np.float32(40),
        ROAD * np.float32(0.3),
        ROAD.astype(np.int16) - 9999 * (np.arange(WIDTH) < 5).astype(np.int16),
        np.where(np.arange(WIDTH) < 5, 128, ROAD * 255).astype(np.uint8),
    ],
    ids=["0 and 2", "1 and 3", "floats above 1", "doubtful", "undeclared", "half unknown"],
)
def test_a_mask_that_could_mean_several_things_is_refused_with_the_remedy(tmp_path, values):
    path = tiff(tmp_path / "mask.tif", values)
    with pytest.raises(RoadexError, match=r"mask.tif: values .*dataset.road_(values|above)="):
        read_mask(path)


@pytest.mark.parametrize("white", [255, 200])
def test_a_table_that_shows_the_larger_number_darker_is_refused(tmp_path, white):
    path = palette(tmp_path / "mask.png", [(white,) * 3, (0, 0, 0)])
    with pytest.raises(RoadexError, match=r"shows the larger number darker .*road_values=\[1\]"):
        read_mask(path)
    np.testing.assert_array_equal(read_mask(path, MaskRules(values=(1,))).road, ROAD)


def test_a_table_of_colours_suggests_the_number_that_is_rare(tmp_path):
    path = palette(tmp_path / "mask.png", [(255, 255, 255), (255, 0, 0)])
    with pytest.raises(RoadexError, match=r"1: 255,0,0\).*road_values=\[1\]"):
        read_mask(path)


@pytest.mark.parametrize("value", [1, 255])
def test_roads_that_are_declared_as_no_data_are_noticed(tmp_path, value):
    drawn = np.zeros((60, 60), np.uint8)
    drawn[28:32] = value
    path = tmp_path / "mask.tif"
    options = {"count": 1, "dtype": "uint8", "nodata": value}
    with rasterio.open(path, "w", "GTiff", width=60, height=60, **options) as file:
        file.write(drawn, 1)
    with pytest.raises(RoadexError, match=rf"no data in lines: .*road_values=\[{value}\]"):
        read_mask(path)
    road = read_mask(path, MaskRules(values=(value,))).road
    np.testing.assert_array_equal(road, drawn == value)


def test_a_tile_without_roads_whose_alpha_is_its_extent_shows_none(tmp_path):
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, :6] = 0
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    road = read_mask(png(tmp_path / "mask.png", np.dstack([black, alpha]))).road
    assert (road[:, :6] == IGNORE).all() and not road[:, 6:].any()


def test_classes_in_bands_of_their_own_are_refused(tmp_path):
    bands = np.stack([~ROAD, ROAD, np.zeros_like(ROAD)]).astype(np.uint8)
    with pytest.raises(RoadexError, match="2 colours"):
        read_mask(tiff(tmp_path / "mask.tif", bands))


def test_colours_of_several_kinds_are_refused(tmp_path):
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:5], picture[5:9] = (255, 0, 0), (0, 255, 0)
    with pytest.raises(RoadexError, match="3 colours"):
        read_mask(png(tmp_path / "mask.png", picture))


def test_the_user_decides(tmp_path):
    path = png(tmp_path / "mask.png", np.where(ROAD, 7, 3).astype(np.uint8))
    np.testing.assert_array_equal(read_mask(path, MaskRules(values=(7,))).road, ROAD)
    np.testing.assert_array_equal(read_mask(path, MaskRules(above=5)).road, ROAD)
    np.testing.assert_array_equal(read_mask(path, MaskRules(values=(3,))).road, ~ROAD)


def test_a_georeferenced_mask_tells_its_pixel_size(tmp_path):
    place = from_origin(660_000, 4_012_000, 0.3, 0.3)
    path = tiff(tmp_path / "mask.tif", ROAD.astype(np.uint8), crs="EPSG:32611", transform=place)
    assert read_mask(path).gsd == pytest.approx((0.3, 0.3))
    assert read_mask(png(tmp_path / "mask.png", ROAD.astype(np.uint8))).gsd is None


def test_a_picture_of_absurd_size_is_refused_before_it_is_read(tmp_path):
    head = Image.fromarray(np.zeros((1, 1), np.uint8))
    path = tmp_path / "bomb.png"
    head.save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = (500_000).to_bytes(4, "big") * 2

    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    path.write_bytes(bytes(data))
    with pytest.raises(RoadexError, match="GiB of memory"):
        read_mask(path)


def test_a_mask_of_thousands_of_bands_is_refused_at_once(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    shape = {"width": 8, "height": 8, "count": 5000, "dtype": "uint8"}
    with rasterio.open(tmp_path / "m.tif", "w", "GTiff", SPARSE_OK=True, **shape):
        pass
    with pytest.raises(RoadexError, match=r"m.tif: 5000 bands; a mask has one"):
        read_mask(tmp_path / "m.tif")
