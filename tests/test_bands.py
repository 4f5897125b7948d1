"""More bands than red, green and blue, from the tiles to predicted and exported networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import geopandas
import numpy as np
import pytest
import torch
from shapely.geometry import box

import roadex
from roadex.config.augment import AugmentConfig
from roadex.config.backbone import TimmBackboneConfig
from roadex.config.dataset import FolderConfig, SyntheticConfig
from roadex.config.evaluate import EvaluateConfig
from roadex.config.export import ExportConfig
from roadex.config.predict import PredictConfig
from roadex.data.augment import Augmentation
from roadex.data.prepare import prepare
from roadex.engine.testing import evaluate_checkpoint
from roadex.engine.training import _normalized
from roadex.errors import RoadexError
from roadex.models.backbones.weights import _package_weights
from roadex.models.registry import build_model
from roadex.prediction.batch import predict_all
from roadex.prediction.mosaic import mosaic_of
from roadex.prediction.pipeline import load_model
from roadex.prediction.scene import open_scene
from roadex.rasters.pictures import write_image
from roadex.runs.checkpoint import save_checkpoint
from roadex.runs.export import export_checkpoint
from roadex.runs.load import load_checkpoint
from tests.config.test_composition import train_config
from tests.support.stand_ins import write_tif
from tests.support.zoo import ZOO
from tests.test_train import TINY, run

SIDE = 96
BANDS = [5, 3, 2, 1, 4, 6, 7, 8]  # WorldView's, red, green and blue first


def tile(number: int, count: int, dtype=np.uint16) -> tuple[np.ndarray, np.ndarray]:
    """An image (H, W, count) of noise with a street that only the last band shows, and its mask."""
    rng = np.random.default_rng(number)
    image = rng.integers(60, 110, (SIDE, SIDE, count)).astype(dtype)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.line(mask, (int(rng.integers(SIDE)), 0), (int(rng.integers(SIDE)), SIDE), 255, 9)
    image[mask > 0, -1] = 200
    return image, mask


def write_tiles(root: Path, tiles: int, count: int, dtype=np.uint16) -> Path:
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number in range(tiles):
        image, mask = tile(number, count, dtype)
        corner = (500_000.0 + number * SIDE, 5_000_000.0)
        path = root / "images" / f"t{number:02d}.tif"
        write_tif(path, image, step=(1.0, -1.0), corner=corner)
        write_image(root / "masks" / f"t{number:02d}.png", mask)
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The run of a training on 16-bit tiles of eight bands."""
    root = write_tiles(tmp_path_factory.mktemp("eight"), 12, 8)
    settings = ["dataset=folder", f"dataset.raw={root}", "dataset.gsd=1", f"dataset.bands={BANDS}"]
    small = ["trainer.epochs=1", "augment=strong", "dataset.workers=1", "hydra.run.dir=run"]
    done = run("train", *TINY, *settings, *small, cwd=root)
    assert done.returncode == 0, done.stderr
    return root / "run"


def predict(trained: Path, source: object, out: Path, **settings: object) -> list[str]:
    said: list[str] = []
    wanted = {"checkpoint": str(trained), "outputs": ["geojson", "overview"], **settings}
    predict_all(PredictConfig(input=str(source), out=str(out), **wanted), said.append)
    return said


def test_a_training_keeps_the_bands_with_a_normalisation_of_each(trained):
    checkpoint = load_checkpoint(trained)
    assert len(checkpoint.mean) == len(checkpoint.std) == checkpoint.config.backbone.bands == 8
    assert len(checkpoint.contrast["all cities"]["low"]) == 8
    assert json.loads((trained / "metrics.json").read_text())["test/f1"] >= 0
    pictures = list((trained / "overlays").glob("*.jpg"))
    assert len(pictures) == 1 and cv2.imread(str(pictures[0])).shape[2] == 3


def test_evaluate_takes_the_bands_of_the_training_and_refuses_others(trained, tmp_path):
    config = EvaluateConfig(checkpoint=str(trained), out=str(tmp_path), overlays=1)
    again = evaluate_checkpoint(config)["test/f1"]
    first = json.loads((trained / "metrics.json").read_text())["test/f1"]
    assert again == pytest.approx(first, abs=1e-6)
    other = FolderConfig(raw=str(trained.parent), workers=1)
    with pytest.raises(RoadexError, match=r"but the model takes 8: name .*=\[5, 3, 2, 1, 4"):
        evaluate_checkpoint(replace(config, dataset=other))


def test_files_folders_mosaics_and_areas_are_predicted(trained, tmp_path):
    images = trained.parent / "images"
    predict(trained, images / "t00.tif", tmp_path / "file")
    assert cv2.imread(str(tmp_path / "file" / "t00.png")).shape[2] == 3
    predict(trained, images, tmp_path / "folder")
    assert len(list((tmp_path / "folder").glob("*.geojson"))) == 12
    same = [(tmp_path / p / "t00.roads.geojson").read_text() for p in ("file", "folder")]
    assert same[0] == same[1]
    area = geopandas.GeoSeries([box(500_010, 4_999_920, 500_150, 4_999_990)], crs="EPSG:32632")
    area.to_file(tmp_path / "area.geojson")
    for name, more in {
        "mosaic": {"mosaic": True},
        "aoi": {"aoi": str(tmp_path / "area.geojson")},
    }.items():
        predict(trained, images, tmp_path / name, overlap="blended", **more)
        assert (tmp_path / name / "images.roads.geojson").is_file()


def test_a_picture_without_the_bands_is_refused_in_one_line(trained, tmp_path):
    picture, _ = tile(0, 3, np.uint8)
    write_tif(tmp_path / "rgb.tif", picture)
    said = predict(trained, tmp_path / "rgb.tif", tmp_path / "out")
    assert said[-1].startswith("failed: ") and "it has 3 bands" in said[-1]
    assert str(BANDS) in said[-1] and "\n" not in said[-1]
    with pytest.raises(RoadexError, match=r"bands=\[1, 2, 3\]: the model takes 8 bands, \[5, 3, 2"):
        predict(trained, tmp_path / "rgb.tif", tmp_path / "out", bands=[1, 2, 3])
    with pytest.raises(RoadexError, match=r"give \(rows, columns, 8\), the bands of the training"):
        roadex.load(trained).predict(picture)
    missing = FolderConfig(raw=str(trained.parent), bands=[1, 2, 3, 9], cache=str(tmp_path))
    with pytest.raises(
        RoadexError, match=r"t\d+.tif: dataset.bands=\[1, 2, 3, 9\]: it has 8 bands"
    ):
        prepare(missing, 5)


def test_arrays_answer_as_files_and_exports_as_checkpoints(trained, tmp_path):
    image, _ = tile(0, 8)
    file = write_tif(tmp_path / "a.tif", image, step=(1.0, -1.0))
    in_order = image[..., [band - 1 for band in BANDS]]
    maps = [np.array(roadex.load(trained).predict(one).probability) for one in (file, in_order)]
    np.testing.assert_array_equal(maps[0], maps[1])
    checkpoint, small = load_checkpoint(trained), replace(ZOO["linknet"][1], bands=8)
    config = replace(checkpoint.config, model=ZOO["linknet"][0], backbone=small)
    weights = build_model(config.model, small).state_dict()
    save_checkpoint(tmp_path / "small.pt", replace(checkpoint, config=config, weights=weights))
    export_checkpoint(ExportConfig(str(tmp_path / "small.pt"), str(tmp_path / "onnx")))
    card = json.loads((tmp_path / "onnx" / "roadex.json").read_text())
    assert card["bands"] == 8 and card["band_numbers"] == BANDS
    assert "(batch, 8, rows, columns)" in (tmp_path / "onnx" / "README.md").read_text()
    pixels = in_order.astype(np.uint8)
    first, second = (load_model(tmp_path / name).predictor(pixels) for name in ("small.pt", "onnx"))
    np.testing.assert_allclose(second["segmentation"], first["segmentation"], atol=5e-4)


def test_the_fourth_band_is_data_even_if_the_file_calls_it_alpha(tmp_path):
    """GDAL calls it so in 8 bits; where infrared is 0 there are data all the same."""
    image, _ = tile(0, 4, np.uint8)
    image[:40, :, 3] = 0
    path = write_tif(tmp_path / "a.tif", image, step=(1.0, -1.0))
    turned = write_tif(tmp_path / "b.tif", image, step=(1.0, -1.0), corner=(500_095.5, 5_000_000.0))
    with open_scene(path, [1, 2, 3, 4]) as scene:
        piece = scene.read(slice(0, SIDE))
        assert piece.valid is None
        np.testing.assert_array_equal(np.moveaxis(piece.bands, 0, -1), image)
    with open_scene(path) as scene:
        assert not scene.read(slice(0, 40)).valid.any()
    mosaic = mosaic_of([path, turned], "both", [1, 2, 3, 4])
    piece = mosaic.read(slice(0, SIDE))
    assert mosaic.count == 4 and piece.valid[:, 2:-2].all()
    assert not piece.bands[3, :38].any() and piece.bands[3, 42:, 2:-2].all()


def test_prepared_tiles_hold_the_bands_in_the_order_that_was_asked_for(tmp_path):
    root = write_tiles(tmp_path, 4, 4, np.uint8)
    config = FolderConfig(
        raw=str(root), cache=str(tmp_path / "cache"), bands=[4, 3, 2, 1], workers=1
    )
    dataset = prepare(config, 5, needed=("train",))
    image, _ = tile(0, 4, np.uint8)
    np.testing.assert_array_equal(dataset.tile("t00").image, image[..., ::-1])
    assert len(dataset.mean) == 4
    with pytest.raises(RoadexError, match=r"dataset.bands=\[1, 4\]: name three or more"):
        replace(config, bands=[1, 4])
    with pytest.raises(RoadexError, match="a value each for 4 bands"):
        replace(config, mean=[0.5] * 3, std=[0.2] * 3)


@pytest.mark.parametrize("count", [4, 5, 8])
def test_augmentation_changes_each_band_as_it_would_alone(count):
    """The same draws give the first three bands of RGB and of all bands the same pixels."""
    image = np.random.default_rng(0).integers(0, 256, (90, 90, count)).astype(np.uint8)
    labels = np.zeros((90, 90), np.uint8)
    config = AugmentConfig(
        rotation=20, scale_min=0.8, scale_max=1.2, flip=True, quarter_turns=True, contrast=0.2,
        blur=1.0, hue=10, saturation=10, value=10, occlusions=0,
    )  # fmt: skip
    for seed in range(6):
        several, three = (
            Augmentation(config)((bands, labels), 64, np.random.default_rng(seed), 0.7)[0]
            for bands in (image, image[..., :3])
        )
        assert several.shape == (64, 64, count)
        np.testing.assert_array_equal(several[..., :3], three)


@pytest.mark.parametrize("name", ZOO)
def test_every_model_takes_eight_bands(name):
    config, backbone = ZOO[name]
    model = build_model(config, replace(backbone, bands=8)).eval()
    with torch.inference_mode():
        logits = model(torch.randn(1, 8, 70, 50))
    assert logits["segmentation"][-1].shape == (1, 2, 70, 50)


@pytest.mark.parametrize("name", ["unet", "roadex"])
def test_pretrained_weights_of_the_first_layer_are_repeated_and_scaled(name):
    lite = "tf_efficientnet_lite0"
    backbone = TimmBackboneConfig(name=lite, weights="imagenet_package", bands=8)
    state = build_model(ZOO[name][0], backbone).state_dict()
    (first,) = [key for key in state if key.endswith("conv_stem.weight")]
    known = _package_weights(lite)["conv_stem.weight"]
    expected = known.repeat(1, 3, 1, 1)[:, :8] * (3 / 8)
    torch.testing.assert_close(state[first], expected)


def test_weights_expect_red_green_and_blue_and_tiles_measure_the_rest(tmp_path):
    root = write_tiles(tmp_path, 4, 4, np.uint8)
    settings = [f"dataset.raw={root}", f"dataset.cache={tmp_path / 'cache'}", "dataset.workers=1"]
    config = train_config("dataset=folder", *settings, "dataset.bands=[1,2,3,4]", "backbone=lite0")
    dataset = prepare(config.dataset, 5, needed=("train",))
    found = _normalized(config, dataset)
    assert found.mean == [0.5] * 3 + dataset.mean[3:] and found.std == [0.5] * 3 + dataset.std[3:]
    with pytest.raises(RoadexError, match=r"datasets.world has 3 bands and the dataset 4"):
        replace(config, datasets={"world": SyntheticConfig()})
    with pytest.raises(RoadexError, match=r"backbone.bands=8: leave it out; dataset.bands names 3"):
        train_config("backbone.bands=8")


@pytest.mark.parametrize(
    ("named", "taken"), [(None, None), ((5, 3, 2), None), ((7, 5, 3), [7, 5, 3])]
)
def test_false_colours_are_those_of_the_training(trained, named, taken):
    """Red, green and blue are found in each file, whose numbers may differ; others are not."""
    model = replace(load_model(trained), bands=named)
    assert model.bands_of(None) == taken
