"""Many images as one: the network of the whole, whatever it was cut into."""

from __future__ import annotations

import json
import os

import cv2
import geopandas
import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import calculate_default_transform, reproject
from shapely.geometry import box

from roadex.config.predict import PredictConfig
from roadex.errors import RoadexError
from roadex.graph.network import total_length
from roadex.metrics import apls
from roadex.prediction import batch
from roadex.prediction.api import RoadPredictor
from roadex.prediction.inputs import find_images
from roadex.prediction.mosaic import mosaic_of
from tests.support.stand_ins import UTM, bright_model, ladder, picture_of, write_tif
from tests.test_train import run

SIDE, GSD = 400, 0.5
CORNER = (500_000.0, 5_000_000.0)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return picture_of(ladder(), (SIDE, SIDE), GSD)


def write_tile(path, image, rows: slice, columns: slice, **options):
    """A part of the image as a file of its own."""
    corner = CORNER[0] + columns.start * GSD, CORNER[1] - rows.start * GSD
    return write_tif(path, image[rows, columns], corner=corner, **options)


def quarters(folder, image, overlap: int = 0, gap: int = 0, **options):
    folder.mkdir(exist_ok=True)
    half = SIDE // 2
    spans = [slice(0, half + overlap), slice(half + gap - overlap, SIDE)]
    return [
        write_tile(folder / f"tile_{r}{c}.tif", image, rows, columns, **options)
        for r, rows in enumerate(spans)
        for c, columns in enumerate(spans)
    ]


def whole_of(scene) -> tuple[np.ndarray, np.ndarray]:
    piece = scene.read(slice(0, scene.shape[0]))
    return np.moveaxis(piece.bands, 0, -1), piece.valid


@pytest.mark.parametrize("overlap", [0, 30])
def test_parts_of_an_image_are_the_image_again(tmp_path, image, overlap):
    scene = mosaic_of(quarters(tmp_path, image, overlap), "town")
    pixels, valid = whole_of(scene)
    assert scene.shape == (SIDE, SIDE) and scene.grid.corner == CORNER
    assert np.array_equal(pixels, image) and valid.all()
    rows = [scene.read(slice(start, start + 50)).bands for start in range(0, SIDE, 50)]
    assert np.array_equal(np.concatenate(rows, axis=1), np.moveaxis(image, -1, 0))
    small = scene.reduced((100, 80))
    assert small.bands.shape == (3, 100, 80) and small.valid.all()
    assert small.bands.mean() == pytest.approx(image.mean(), rel=0.02)


def test_the_network_is_that_of_the_whole(tmp_path, image):
    paths = quarters(tmp_path / "tiles", image, overlap=20)
    roads = RoadPredictor(bright_model(GSD))
    whole = roads.predict(write_tif(tmp_path / "whole.tif", image)).graph
    for source in (paths, tmp_path / "tiles"):
        found = roads.predict(source).graph
        assert total_length(found) == pytest.approx(total_length(whole), rel=1e-9)
        assert sorted(dict(found.degree()).values()) == sorted(dict(whole.degree()).values())
        assert apls(whole, found).value == pytest.approx(1, abs=1e-9)


def test_narrow_seams_are_filled_and_wide_gaps_are_not(tmp_path, image):
    pixels, valid = whole_of(mosaic_of(quarters(tmp_path / "narrow", image, gap=2), "town"))
    assert valid.all()
    assert np.abs(pixels.astype(int) - image).mean() < 0.5
    _, valid = whole_of(mosaic_of(quarters(tmp_path / "wide", image, gap=9), "town"))
    assert not valid[SIDE // 2 + 4].any() and valid[: SIDE // 2, : SIDE // 2].all()


def test_which_image_counts_where_they_overlap(tmp_path):
    for name, value in (("a.tif", 10), ("b.tif", 90)):
        write_tif(tmp_path / name, np.full((20, 20, 3), value, np.uint8))
    paths = sorted(tmp_path.iterdir())
    os.utime(paths[0], (1, 2_000_000_000))
    for overlap, value in (("first", 10), ("last", 90), ("newest", 10)):
        assert (whole_of(mosaic_of(paths, "m", overlap=overlap))[0] == value).all()


def bright_and_dark(folder, seam: int = 60):
    """A dark tile beside a bright one, `seam` columns of both; and where they overlap."""
    folder.mkdir(exist_ok=True)
    for name, value, columns in (
        ("a.tif", 80, slice(0, 200 + seam // 2)),
        ("b.tif", 140, slice(200 - seam // 2, 400)),
    ):
        write_tile(folder / name, np.full((300, 400, 3), value, np.uint8), slice(0, 300), columns)
    return sorted(folder.iterdir()), slice(200 - seam // 2, 200 + seam // 2)


def test_blended_tiles_of_different_brightness_show_no_seam(tmp_path):
    paths, both = bright_and_dark(tmp_path / "tiles")
    hard = whole_of(mosaic_of(paths, "m"))[0].astype(int)
    soft, valid = whole_of(mosaic_of(paths, "m", overlap="blended"))
    assert np.abs(np.diff(hard, axis=1)).max() == 60
    assert valid.all() and np.abs(np.diff(soft.astype(int), axis=1)).max() <= 2
    assert (soft[:, : both.start] == 80).all() and (soft[:, both.stop :] == 140).all()
    ramp = 80 + 60 * (np.arange(60) + 0.5)[:, None] / 60
    assert np.abs(soft[:, both] - ramp).max() <= 0.5
    turned = whole_of(mosaic_of(paths[::-1], "m", overlap="blended"))[0]
    assert np.array_equal(soft, turned)


def test_blended_weights_fall_beside_pixels_without_data(tmp_path):
    """Also where the lack is in the middle of an image, below which lies another."""
    bright = np.full((300, 400, 3), 140, np.uint8)
    bright[120:180, 150:250] = 0
    write_tif(tmp_path / "b.tif", bright, nodata=0)
    write_tif(tmp_path / "a.tif", np.full((300, 400, 3), 80, np.uint8))
    pixels, valid = whole_of(mosaic_of(sorted(tmp_path.iterdir()), "m", overlap="blended"))
    assert valid.all() and (pixels[130:170, 160:240] == 80).all()
    assert np.abs(np.diff(pixels.astype(int), axis=0)).max() <= 3
    assert (pixels[20] == 110).all()  # both count alike far from the hole


def test_blended_parts_are_those_of_the_whole_however_they_are_read(tmp_path, image, monkeypatch):
    paths = quarters(tmp_path, image, overlap=30)
    warped_to(paths[1], tmp_path / "tile_01_other.tif", "EPSG:32631", 0.7)
    scene = mosaic_of(sorted(tmp_path.iterdir()), "m", overlap="blended")
    pixels, valid = whole_of(scene)
    rng = np.random.default_rng(0)
    for height in (1 << 21, 5000):
        monkeypatch.setattr("roadex.prediction.mosaic._BLENDED_AT_ONCE", height)
        for _ in range(6):
            (top, left), (rows, columns) = rng.integers(0, 200, 2), rng.integers(1, 200, 2)
            there = slice(top, top + rows), slice(left, left + columns)
            piece = scene.read(*there)
            assert np.array_equal(np.moveaxis(piece.bands, 0, -1), pixels[there])
            assert np.array_equal(piece.valid, valid[there])
    small = scene.reduced((100, 100))
    assert small.valid[5:-5, 5:-5].all()
    assert small.bands.mean() == pytest.approx(pixels.mean(), rel=0.02)


def warped_to(source, target, crs: str, gsd: float):
    """A raster in another system and at other pixels."""
    with rasterio.open(source) as file:
        place, width, height = calculate_default_transform(
            file.crs, crs, file.width, file.height, *file.bounds, resolution=gsd
        )
        profile = file.profile | {
            "crs": crs, "transform": place, "width": width, "height": height, "nodata": 0,
        }  # fmt: skip
        with rasterio.open(target, "w", **profile) as out:
            for band in (1, 2, 3):
                reproject(
                    rasterio.band(file, band), rasterio.band(out, band),
                    resampling=Resampling.bilinear, dst_nodata=0,
                )  # fmt: skip
    source.unlink()


def test_images_of_several_systems_and_pixel_sizes_come_to_one_grid(tmp_path, image):
    paths = quarters(tmp_path, image, overlap=15)
    warped_to(paths[1], tmp_path / "tile_01_lonlat.tif", "EPSG:4326", 0.5 / 111_320)
    warped_to(paths[2], tmp_path / "tile_10_coarse.tif", "EPSG:32631", 0.7)
    scene = mosaic_of(sorted(tmp_path.iterdir()), "town")
    assert scene.grid.crs == UTM and not scene.failures
    pixels, valid = whole_of(scene)
    centres = (np.indices((SIDE, SIDE)).reshape(2, -1).T[:, ::-1] + 0.5) * (GSD, -GSD) + CORNER
    columns, rows = np.floor(scene.grid.pixels(centres, UTM)).astype(int).T
    inner = np.zeros((SIDE, SIDE), bool)
    inner[4:-4, 4:-4] = True
    inner = inner.ravel()
    assert valid[rows, columns][inner].mean() > 0.999
    off = np.abs(pixels[rows, columns].astype(int) - image.reshape(-1, 3))[inner]
    assert off.mean() < 6  # the edges of roads are blurred
    truth = ladder()
    found = RoadPredictor(bright_model(GSD)).predict(sorted(tmp_path.iterdir()))
    assert total_length(found.graph) == pytest.approx(total_length(truth), rel=0.03)


def test_only_the_area_of_interest_is_read(tmp_path, image):
    paths = quarters(tmp_path, image)
    left, top = CORNER
    wanted = box(left + 20, top - 90, left + 90, top - 15)  # in the first tile alone
    area = geopandas.GeoDataFrame(geometry=[wanted], crs=UTM).to_crs("EPSG:4326")
    area.to_file(tmp_path / "area.geojson")
    scene = mosaic_of(paths, "town", aoi=str(tmp_path / "area.geojson"))
    assert [place.path.name for place in scene.places] == ["tile_00.tif"]
    pixels, valid = whole_of(scene)
    assert valid.sum() * GSD**2 == pytest.approx(wanted.area, rel=0.02)
    rows, columns = (np.flatnonzero(valid.any(axis=axis)) for axis in (1, 0))
    corner = np.array(scene.grid.corner) + [columns[0] * GSD, -rows[0] * GSD]
    assert np.allclose(corner, (left + 20, top - 15), atol=GSD)
    there = image[30:180, 40:180]
    assert np.array_equal(pixels[rows[0] + 2 : rows[0] + 140, columns[0] + 2 : columns[0] + 130],
                          there[2:140, 2:130])  # fmt: skip


def test_what_cannot_be_part_of_it_is_named_and_the_rest_is_done(tmp_path, image):
    paths = quarters(tmp_path / "tiles", image)
    content = paths[3].read_bytes()
    paths[3].write_bytes(content[: len(content) // 2])
    write_tif(tmp_path / "tiles" / "nowhere.tif", image[:50], crs=None)
    write_tif(tmp_path / "tiles" / "sixteen.tif", image.astype(np.uint16) * 9)
    done = run("predict", "input=tiles", "mosaic=true", "out=out", "outputs=[gpkg]", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "nowhere.tif: no coordinate system, so it has no place in a mosaic" in done.stdout
    assert "sixteen.tif: uint16 values, but most images have uint8" in done.stdout
    assert "tile_11.tif: not a readable raster, or cut short" in done.stdout
    assert "3 of 6 images could not be used" in done.stderr
    summary = json.loads((tmp_path / "out" / "tiles.summary.json").read_text())
    assert summary["area_km2"] == pytest.approx(0.03, rel=0.1)


def test_a_tile_that_could_not_be_read_is_tried_again(tmp_path, image, monkeypatch):
    monkeypatch.setattr(batch, "load_model", lambda *_: bright_model())
    paths = quarters(tmp_path / "tiles", image, compress="deflate")
    whole = paths[3].read_bytes()
    paths[3].write_bytes(whole[:-900] + bytes(900))
    config = PredictConfig(
        input=str(tmp_path / "tiles"), out=str(tmp_path / "out"), mosaic=True, outputs=["csv"]
    )
    said: list[str] = []
    assert batch.predict_all(config, said.append)[0] == [paths[3].name]
    assert batch.predict_all(config, said.append)[0] == [paths[3].name]
    paths[3].write_bytes(whole)
    assert batch.predict_all(config, said.append)[0] == []
    assert batch.predict_all(config, said.append)[0] == [] and said[-1] == "tiles: done already"


def test_bad_areas_and_lists_are_one_line(tmp_path, image):
    paths = quarters(tmp_path, image)
    far = geopandas.GeoDataFrame(geometry=[box(0, 0, 1, 1)], crs="EPSG:4326")
    far.to_file(tmp_path / "far.geojson")
    for aoi, complaint in (("far.geojson", "no image lies there"), ("none.gpkg", "no such file")):
        with pytest.raises(RoadexError, match=complaint):
            mosaic_of(paths, "town", aoi=str(tmp_path / aoi))
    with pytest.raises(RoadexError, match="counts in metres"):
        mosaic_of(paths, "town", crs="EPSG:4326")
    distant = write_tif(tmp_path / "distant.tif", image, corner=(200_000.0, 1_000_000.0))
    with pytest.raises(RoadexError, match="so far apart"):
        mosaic_of([*paths, distant], "town")


def test_images_are_named_by_a_list_or_found_as_vrt(tmp_path, image):
    paths = quarters(tmp_path / "tiles", image)
    (tmp_path / "list.txt").write_text("tiles/tile_00.tif\n\ntiles/tile_11.tif\n")
    assert find_images(str(tmp_path / "list.txt")) == [paths[0], paths[3]]
    with rasterio.open(paths[0]) as file, WarpedVRT(file) as warped:
        rasterio.shutil.copy(warped, tmp_path / "tiles" / "whole.vrt", driver="VRT")
    assert find_images(str(tmp_path / "tiles"))[-1].name == "whole.vrt"
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RoadexError, match=r"bad.txt: not a readable list"):
        find_images(str(tmp_path / "bad.txt"))


@pytest.mark.parametrize("share", [0.4, 0.95])
def test_a_tile_that_was_cut_short_is_known_before_it_is_read(tmp_path, image, share):
    paths = quarters(tmp_path, image)
    content = paths[3].read_bytes()
    paths[3].write_bytes(content[: int(share * len(content))])
    scene = mosaic_of(paths, "town")
    assert [path.name for path in scene.failures] == ["tile_11.tif"]
    assert len(scene.places) == 3


def test_a_small_picture_of_a_mosaic_is_that_of_the_image(tmp_path, image):
    scene = mosaic_of(quarters(tmp_path, image, overlap=30), "town")
    small = scene.reduced((SIDE // 4, SIDE // 4))
    wanted = cv2.resize(image, (SIDE // 4, SIDE // 4), interpolation=cv2.INTER_AREA)
    off = np.abs(np.moveaxis(small.bands, 0, -1).astype(int) - wanted)
    assert small.valid.all() and off.mean() < 3
    assert np.array_equal(scene.reduced((SIDE, SIDE)).bands, np.moveaxis(image, -1, 0))


def test_other_bands_are_another_result(tmp_path, image):
    (tmp_path / "tiles").mkdir()
    write_tile(tmp_path / "tiles" / "a.tif", image, slice(0, 80), slice(0, 80))
    settings = ["input=tiles", "mosaic=true", "out=out", "outputs=[csv]"]
    assert run("predict", *settings, "bands=[1,2,3]", cwd=tmp_path).returncode == 0
    same = run("predict", *settings, "bands=[1,2,3]", cwd=tmp_path)
    assert same.returncode == 0 and "done already" in same.stdout
    other = run("predict", *settings, "bands=[3,2,1]", cwd=tmp_path)
    assert other.returncode == 2 and "of another image or other settings" in other.stderr


@pytest.mark.parametrize("block_px", [1024, 8192])
def test_another_tile_changes_only_what_lies_near_it(tmp_path, image, monkeypatch, block_px):
    """Nodes keep their names elsewhere, in networks of several blocks and of one."""
    monkeypatch.setattr(batch, "load_model", lambda *_: bright_model())
    town = np.tile(image, (4, 4, 1))
    spans = [slice(0, 800), slice(800, 1600)]
    (tmp_path / "tiles").mkdir()
    for r, c in np.ndindex(2, 2):
        write_tile(tmp_path / "tiles" / f"{r}{c}.tif", town, spans[r], spans[c])

    def found(out: str) -> dict:
        config = PredictConfig(
            input=str(tmp_path / "tiles"), out=str(tmp_path / out), mosaic=True,
            outputs=["gpkg"], block_px=block_px,
        )  # fmt: skip
        assert batch.predict_all(config, print)[0] == []
        return geopandas.read_file(tmp_path / out / "tiles.roads.gpkg", layer="roads")

    before = found("before")
    town[40:360, 60:70] = 200  # a new road in the first tile, which takes the first numbers
    write_tile(tmp_path / "tiles" / "00.tif", town, spans[0], spans[0])
    after = found("after")
    near = box(CORNER[0] - 1, CORNER[1] - 300, CORNER[0] + 300, CORNER[1] + 1)
    kept = [
        {(r.u, r.v, r.geometry.wkb) for r in roads.itertuples() if r.geometry.disjoint(near)}
        for roads in (before, after)
    ]
    assert len(after) > len(before) and len(kept[0]) > 50
    assert kept[0] == kept[1]
