"""What images may be, how they are brought to 8 bits and to size, and which are refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from roadex.config.dataset import SpaceNetConfig, SplitConfig, StretchConfig
from roadex.config.synthesize import SynthesizeConfig
from roadex.data.layouts import synthesize
from roadex.data.prepare import prepare
from roadex.data.stretch import calibrate, histogram
from roadex.errors import RoadexError
from roadex.prediction.contrast import choose_contrast, unseen
from roadex.prediction.pipeline import ReadingOptions, open_view
from roadex.prediction.scene import array_scene, open_scene
from tests.support.stand_ins import UTM, bright_model, write_tif

CITY = {"low": [10, 20, 30], "high": [1000, 900, 800], "training_tiles": 2}
CONTRAST = {"all cities": CITY, "AOI_9": {**CITY, "high": [2000, 2000, 2000]}}


def noise(height: int, width: int, bands: int = 3, top: int = 255, dtype=np.uint8) -> np.ndarray:
    return np.random.default_rng(2).integers(1, top, (height, width, bands)).astype(dtype)


def read(path, **settings):
    with open_scene(path, **settings) as scene:
        return scene.read(slice(0, scene.shape[0]))


def test_rows_are_those_of_the_file_whatever_its_format(tmp_path):
    image = noise(70, 50)
    Image.fromarray(image).save(tmp_path / "a.png")
    Image.fromarray(image).save(tmp_path / "a.webp", lossless=True)
    write_tif(tmp_path / "a.tif", image, compress="deflate")
    for name in ("a.png", "a.webp", "a.tif"):
        with open_scene(tmp_path / name) as scene:
            assert scene.shape == (70, 50) and not scene.masked
            found = np.moveaxis(scene.read(slice(20, 33)).bands, 0, -1)
            np.testing.assert_array_equal(found, image[20:33])
            assert (scene.grid is not None) == (name == "a.tif")


def test_bands_are_found_or_chosen(tmp_path):
    image = noise(20, 30, bands=8)
    path = write_tif(tmp_path / "a.tif", image)
    np.testing.assert_array_equal(read(path).bands, np.moveaxis(image[..., [4, 2, 1]], -1, 0))
    chosen = read(path, bands=[8, 1, 8]).bands
    np.testing.assert_array_equal(chosen, np.moveaxis(image[..., [7, 0, 7]], -1, 0))
    with pytest.raises(RoadexError, match=r"bands=\[1, 2, 9\]: it has 8 bands"):
        read(path, bands=[1, 2, 9])
    five = write_tif(tmp_path / "five.tif", noise(9, 9, bands=5))
    with pytest.raises(RoadexError, match=r"5 bands; say which .* bands=\[R,G,B\]"):
        read(five)


def test_one_band_is_seen_as_grey(tmp_path):
    image = noise(20, 30, bands=1)
    found = read(write_tif(tmp_path / "a.tif", image)).bands
    np.testing.assert_array_equal(found, np.repeat(image.transpose(2, 0, 1), 3, axis=0))


def test_transparent_and_declared_pixels_have_no_data(tmp_path):
    image = noise(20, 30, bands=4)
    image[:5, :, 3] = 0
    Image.fromarray(image).save(tmp_path / "a.png")
    assert (read(tmp_path / "a.png").valid == (image[..., 3] > 0)).all()
    image[7:9, :, :3] = 0
    path = write_tif(tmp_path / "a.tif", image[..., :3], nodata=0)
    assert (read(path).valid == (image[..., :3] > 0).any(axis=-1)).all()


def test_black_of_16_bits_has_no_data_as_in_training(tmp_path):
    image = noise(20, 30, top=2000, dtype=np.uint16)
    image[3:6] = 0
    valid = read(write_tif(tmp_path / "a.tif", image)).valid
    assert (valid == (image > 0).any(axis=-1)).all()


def test_what_is_not_a_number_has_no_data(tmp_path):
    image = noise(20, 30, top=2000).astype(np.float32)
    image[3:6, :, 1] = np.nan
    with open_scene(write_tif(tmp_path / "a.tif", image)) as scene:
        piece = scene.read(slice(0, 20))
        assert not piece.valid[3:6].any() and piece.valid[6:].all()
        contrast = choose_contrast(scene, "image", {})
        levels = contrast.to_8_bits(piece.bands)
    assert levels[6:].min() == 0 and levels[6:].max() == 255


def test_more_than_8_bits_are_stretched_as_in_training(tmp_path):
    """A raw tile read for prediction is the prepared tile that a training would see."""
    raw, cache = tmp_path / "raw", tmp_path / "cache"
    synthesize(SynthesizeConfig("spacenet", str(raw), tiles=12, size_px=96, gsd=0.5, workers=1))
    splits = SplitConfig(rule="ranked")
    data = SpaceNetConfig(raw=str(raw), gsd=0.7, splits=splits, cache=str(cache), workers=1)
    dataset = prepare(data, 5)
    name = dataset.splits["train"][0]
    (image,) = (path for path in raw.rglob("*.tif") if path.stem.endswith(name.split("_")[-1]) and
                name.split("_img")[0].split("AOI")[-1] in str(path))  # fmt: skip
    city = next(key for key in dataset.contrast() if key in str(image))
    with open_scene(image) as scene:
        view, notes = open_view(
            scene, bright_model(0.7, dataset.contrast()), ReadingOptions(contrast=city)
        )
        seen = np.concatenate([strip.image for strip in view.strips([slice(0, view.shape[0])])])
    assert "resampled to the 0.7 m" in notes[0]
    difference = np.abs(seen.astype(int) - dataset.tile(name).image)
    assert difference.max() <= 1 and difference.mean() < 1e-3  # ties are rounded either way


def test_contrast_without_training_statistics_is_refused_with_a_remedy(tmp_path):
    path = write_tif(tmp_path / "a.tif", noise(20, 30, top=2000, dtype=np.uint16))
    with open_scene(path) as scene:
        with pytest.raises(RoadexError, match=r"trained on 8 bits.*contrast=image"):
            choose_contrast(scene, "training", {})
        with pytest.raises(RoadexError, match="contrast=Paris: choose one of training, image, AOI"):
            choose_contrast(scene, "Paris", CONTRAST)
        assert choose_contrast(scene, "training", CONTRAST).high == CITY["high"]
        assert choose_contrast(scene, "AOI_9", CONTRAST).high == [2000] * 3


UNDECLARED = {
    "65535": (np.uint16, 65535, 2000),
    "-9999": (np.float32, -9999.0, 0.3),
    "3.4e38": (np.float32, 3.4e38, 0.3),
    "-3.4e38": (np.float32, -3.4e38, 255.0),
    "1e20": (np.float64, 1e20, 1.0),
}


def collared(kind):
    """An image of which the left third has a value of no data that no file declares."""
    dtype, value, top = UNDECLARED[kind]
    image = np.random.default_rng(1).uniform(0.4 * top, top, (60, 90, 3)).astype(dtype)
    image[:, :30] = value
    return image


@pytest.mark.parametrize("kind", UNDECLARED)
def test_no_data_that_nobody_declares_has_no_say_in_the_contrast(tmp_path, kind):
    with open_scene(write_tif(tmp_path / "a.tif", collared(kind))) as scene:
        contrast = choose_contrast(scene, "image", {})
        levels = contrast.to_8_bits(scene.read(slice(0, 60)).bands)
    assert 100 < levels[:, 30:].mean() < 155


def test_no_data_that_nobody_declares_has_no_say_in_training_either():
    counts = histogram(collared("65535").transpose(2, 0, 1), None, 1)
    limits = calibrate([("a", counts)], StretchConfig())["a"]
    assert max(limits["high"]) <= 2000 and min(limits["low"]) >= 800


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_a_stretch_to_black_and_white_alone_is_told(tmp_path, share):
    image = np.full((60, 90, 3), 5, np.uint16)
    image[: int(60 * share)] = 60_000
    with open_scene(write_tif(tmp_path / "a.tif", image)) as scene:
        (note,) = unseen(scene, choose_contrast(scene, "training", CONTRAST))
    assert "black" in note and ("white" in note) == (share > 0) and "contrast=image" in note


@pytest.mark.parametrize("top", [1, 2, 9])
def test_8_bits_that_are_hardly_used_are_told(tmp_path, top):
    dark = np.random.default_rng(0).integers(0, top + 1, (300, 700, 3)).astype(np.uint8)
    with open_scene(write_tif(tmp_path / "a.tif", dark)) as scene:
        (note,) = unseen(scene, None)
        assert f"to {top} of 255" in note
    with open_scene(write_tif(tmp_path / "b.tif", noise(300, 700))) as scene:
        assert not unseen(scene, None)


def test_a_mask_of_the_whole_file_counts_for_every_band(tmp_path):
    import rasterio

    path = write_tif(tmp_path / "a.tif", noise(20, 30))
    known = np.full((1, 20, 30), 255, np.uint8)
    known[:, :, :10] = 0
    options = {"count": 1, "dtype": "uint8", "width": 30, "height": 20}
    with rasterio.open(f"{path}.msk", "w", "GTiff", **options) as file:
        file.write(known)
        file.update_tags(INTERNAL_MASK_FLAGS_1=2)
    assert (read(path).valid == (known[0] > 0)).all()


def test_overlapping_strips_are_parts_of_the_whole(tmp_path):
    image = noise(90, 40, bands=4)
    image[30:50, :, 3] = 0
    with open_scene(write_tif(tmp_path / "a.tif", image, photometric="rgb", alpha="yes")) as scene:
        view, _ = open_view(scene, bright_model(0.7), ReadingOptions())
        rows = view.shape[0]
        whole = view.strip(slice(0, rows))
        spans = [slice(0, 30), slice(20, 50), slice(45, rows)]
        for span, strip in zip(spans, view.strips(spans), strict=True):
            np.testing.assert_array_equal(strip.image, whole.image[span])
            np.testing.assert_array_equal(strip.valid, whole.valid[span])
    assert not whole.valid[26].any() and whole.valid[10].all()


def cmyk(path):
    Image.fromarray(noise(40, 40, bands=4), mode="CMYK").save(path.with_suffix(".jpg"))
    return path.with_suffix(".jpg")


def palette(path):
    Image.fromarray(noise(40, 40)).quantize(16).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def cut_short(suffix):
    def make(path):
        image = Image.fromarray(noise(300, 300))
        target = path.with_suffix(suffix)
        image.save(target, **({"quality": 95} if suffix == ".jpg" else {}))
        content = target.read_bytes()
        target.write_bytes(content[: len(content) // 2])
        return target

    return make


def cut_tif(path):
    target = write_tif(path.with_suffix(".tif"), noise(600, 600), tiled=True, compress="lzw",
                       blockxsize=256, blockysize=256)  # fmt: skip
    content = target.read_bytes()
    target.write_bytes(content[: len(content) // 2])
    return target


def empty(path):
    path.with_suffix(".tif").write_bytes(b"")
    return path.with_suffix(".tif")


def text(path):
    path.with_suffix(".png").write_text("no picture")
    return path.with_suffix(".png")


def integers(path):
    return write_tif(path.with_suffix(".tif"), noise(20, 20).astype(np.int32))


def turned(path):
    import rasterio

    target = path.with_suffix(".tif")
    place = rasterio.Affine(0.5, 0.2, 0, 0.2, -0.5, 0)
    profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "crs": UTM, "transform": place}
    with rasterio.open(target, "w", height=20, width=20, **profile) as file:
        file.write(np.moveaxis(noise(20, 20), -1, 0))
    return target


REFUSED = {
    "cmyk": (cmyk, "CMYK.*save it as RGB"),
    "palette": (palette, "colour table; save it as RGB"),
    "cut png": (cut_short(".png"), "cut short"),
    "cut jpg": (cut_short(".jpg"), "cut short"),
    "cut tif": (cut_tif, "cut short"),
    "empty": (empty, "an empty file"),
    "text": (text, "not a readable image"),
    "integers": (integers, "int32 values; convert it to 8- or 16-bit"),
    "turned": (turned, "rows do not run east"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_files_are_refused_in_one_line_that_names_them(case, tmp_path):
    make, complaint = REFUSED[case]
    path = make(tmp_path / "bad")
    with pytest.raises(RoadexError, match=f"(?s){path.name}.*{complaint}") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_arrays_are_checked():
    assert array_scene(noise(4, 5)[..., 0]).shape == (4, 5)
    with pytest.raises(RoadexError, match=r"shape \(4, 5, 2\)"):
        array_scene(noise(4, 5, bands=2))
    with pytest.raises(RoadexError, match="float64"):
        array_scene(noise(4, 5).astype(float))
