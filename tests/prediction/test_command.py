"""The command `python -m roadex.predict`, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import roadex
from roadex.config.predict import PredictConfig
from roadex.errors import RoadexError
from roadex.models.registry import build_model
from roadex.prediction import batch
from roadex.prediction.outputs import ON_REQUEST, OUTPUTS, SUMMARY
from roadex.rasters.pictures import write_image
from roadex.runs.checkpoint import Checkpoint, save_checkpoint
from tests.config.test_composition import train_config
from tests.support.stand_ins import bright_model, ladder, picture_of, write_tif

TINY = ("model.width=8", "model.blocks=1", "model.head_width=4", "model.depth=1", "dataset.gsd=0.5")
FILES = [*(OUTPUTS[name][0] for name in OUTPUTS if name not in ON_REQUEST), SUMMARY]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """A model of random weights."""
    torch.manual_seed(0)
    config = train_config(*TINY)
    weights = build_model(config.model, config.backbone).state_dict()
    path = tmp_path_factory.mktemp("checkpoint") / "tiny.pt"
    save_checkpoint(path, Checkpoint(weights, config, 0.5, [0.35] * 3, [0.15] * 3, 1, {}))
    return path


@pytest.fixture
def image() -> np.ndarray:
    return picture_of(ladder(), (400, 400), 0.5)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "roadex.predict", *arguments]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(command(*arguments), cwd=cwd, capture_output=True, text=True)


def test_a_folder_gives_all_files_and_names_the_one_that_failed(checkpoint, image, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    write_tif(images / "town.tif", image)
    write_image(images / "photo.png", image)
    write_tif(images / "sixteen.tif", image.astype(np.uint16) * 9)
    (images / "broken.jpg").write_bytes(b"")
    done = run(f"checkpoint={checkpoint}", "input=images", "out=out", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "2 of 4 images could not be used (broken.jpg, sixteen.tif)" in done.stderr
    assert "broken.jpg: an empty file" in done.stdout
    assert "sixteen: uint16 values, but the model was trained on 8 bits" in done.stdout
    assert "photo: no coordinate system: coordinates are pixels" in done.stdout
    assert "km2/h" in done.stdout
    expected = {f"{name}{suffix}" for name in ("town", "photo") for suffix in FILES}
    assert {path.name for path in (tmp_path / "out").iterdir()} == expected
    summary = json.loads((tmp_path / "out" / "town.summary.json").read_text())
    assert summary["area_km2"] == pytest.approx(0.04) and summary["threshold"] == 0.5


def test_killed_work_goes_on(checkpoint, image, tmp_path):
    """Killed without warning between two rows of windows; nothing has its final name by then."""
    town = np.tile(image, (4, 2, 1))
    write_tif(tmp_path / "town.tif", town)
    windows = ("inference.window=128", "inference.overlap=32")
    arguments = (f"checkpoint={checkpoint}", "input=town.tif", "out=out", *windows)
    process = subprocess.Popen(command(*arguments), cwd=tmp_path, stdout=subprocess.DEVNULL)
    progress = tmp_path / "out" / ".town.work" / "progress.npz"
    while not progress.is_file() and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".town.work"]
    with np.load(progress) as content:
        done = int(content["row"])
    again = run(*arguments, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    run(*arguments[:2], "out=other", *windows, cwd=tmp_path)
    assert done > 0
    for name in ("town.probability.tif", "town.graphml", "town.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert not list((tmp_path / "out").glob(".*"))


def predict(image: Path, out: Path, **settings: object) -> tuple[list[str], list[str]]:
    """The failures of the command with the stand-in model, and what it tells."""
    said: list[str] = []
    config = PredictConfig(input=str(image), out=str(out), **settings)
    return batch.predict_all(config, said.append)[0], said


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(batch, "load_model", lambda *_: bright_model())


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("name", [".roads.geojson", ".png", ".probability.tif"])
def test_a_deleted_output_is_written_again(image, tmp_path, name):
    path, out = write_tif(tmp_path / "town.tif", image), tmp_path / "out"
    predict(path, out)
    before = (out / f"town{name}").read_bytes()
    (out / f"town{name}").unlink()
    failures, said = predict(path, out)
    assert failures == [] and said[0] == f"town: town{name} is missing: all files are written again"
    assert (out / f"town{name}").read_bytes() == before
    assert predict(path, out) == ([], ["town: done already"])


@pytest.mark.usefixtures("stand_in")
def test_results_are_kept_and_never_overwritten_unasked(image, tmp_path):
    path, out = write_tif(tmp_path / "town.tif", image), tmp_path / "out"
    assert predict(path, out)[0] == []
    times = {file: file.stat().st_mtime_ns for file in out.iterdir()}
    assert predict(path, out) == ([], ["town: done already"])
    failures, said = predict(path, out, threshold=0.7)
    assert failures == ["town.tif"] and "set overwrite=true" in said[-1]
    assert times == {file: file.stat().st_mtime_ns for file in out.iterdir()}
    assert predict(path, out, threshold=0.7, overwrite=True)[0] == []
    assert json.loads((out / "town.summary.json").read_text())["threshold"] == 0.7


@pytest.mark.usefixtures("stand_in")
def test_files_of_others_are_not_overwritten(image, tmp_path):
    path, out = write_tif(tmp_path / "town.tif", image), tmp_path / "out"
    out.mkdir()
    (out / "town.png").write_text("mine")
    assert predict(path, out)[0] == ["town.tif"]
    assert (out / "town.png").read_text() == "mine"


@pytest.mark.usefixtures("stand_in")
def test_a_pattern_and_chosen_outputs(image, tmp_path):
    for name in ("a1", "a2", "b1"):
        write_image(tmp_path / f"{name}.png", image)
    assert predict(tmp_path / "a*.png", tmp_path / "out", outputs=["csv"])[0] == []
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {"a1.csv", "a2.csv", "a1.summary.json", "a2.summary.json"}


@pytest.mark.usefixtures("stand_in")
def test_a_file_that_cannot_be_written_leaves_nothing_half_done(image, tmp_path, monkeypatch):
    path, out = write_tif(tmp_path / "town.tif", image), tmp_path / "out"

    def full(graph, target):
        Path(target).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("networkx.write_graphml", full)
    failures, said = predict(path, out)
    assert failures == ["town.tif"] and "town.graphml cannot be written (No space left" in said[-1]
    assert not (out / "town.graphml").exists() and not (out / "town.summary.json").exists()
    monkeypatch.undo()
    monkeypatch.setattr(batch, "load_model", lambda *_: bright_model())
    assert predict(path, out)[0] == [] and (out / "town.graphml").exists()


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda root: {"input": "nowhere.tif"}, "no such file, nor an image that matches"),
        (lambda root: {"input": "*.tif", "out": "."}, "the images are there"),
        (lambda root: {"out": "town.tif"}, "cannot be written"),
        (lambda root: {"out": "/proc/roadex"}, "cannot be written"),
        (lambda root: {"outputs": ["shapefile"]}, "choose from probability, gpkg, geojson"),
        (
            lambda root: (root / "town.png").write_bytes(b"x") and {"input": "town.*"},
            "share a name",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(
    make, complaint, image, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_tif(tmp_path / "town.tif", image)
    settings = {"input": "town.tif", "out": "out", **make(tmp_path)}
    with pytest.raises(RoadexError, match=complaint):
        batch.predict_all(PredictConfig(**settings), print)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": 99}, "format 99, this version reads"),
        ({"config": {"model": {"name": "other"}}}, "settings of another version"),
    ],
)
def test_a_checkpoint_of_another_version_is_refused(change, complaint, checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    torch.save({**content, **change}, tmp_path / "other.pt")
    with pytest.raises(RoadexError, match=f"other.pt.*{complaint}"):
        roadex.load(tmp_path / "other.pt")


def test_python_and_the_command_agree(checkpoint, image, tmp_path):
    path = write_tif(tmp_path / "town.tif", image)
    network = roadex.load(checkpoint).predict(path)
    config = PredictConfig(input=str(path), out=str(tmp_path / "out"), checkpoint=str(checkpoint))
    assert batch.predict_all(config, print)[0] == []
    summary = json.loads((tmp_path / "out" / "town.summary.json").read_text())
    for key in ("road_km", "junctions", "dead_ends", "components"):
        assert summary[key] == network.summary[key]


def test_importing_roadex_is_light():
    code = "import roadex, sys; print('torch' in sys.modules, 'rasterio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]


def test_temporary_probabilities_go_with_the_network(checkpoint, image):
    network = roadex.load(checkpoint).predict(image)
    folder = network.store.folder
    assert any(folder.iterdir())
    del network
    assert not folder.exists()
