"""A training on several datasets, from the command line to the scores of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from roadex.config.inference import InferenceConfig
from roadex.data.prepared import Member
from roadex.engine.inference import Predictor, RescaledPredictor, for_member
from roadex.runs.load import load_checkpoint
from tests.support.worlds import write_folder
from tests.test_train import TINY, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("several")
    write_folder(root / "coarse", 12)
    write_folder(root / "fine", 10, 192)
    return root


SETTINGS = [
    *TINY,
    "dataset=folder",
    "dataset.raw=coarse",
    "dataset.gsd=1",
    "datasets=[fine:folder,synthetic]",
    "datasets.fine.raw=fine",
    "datasets.fine.gsd=0.5",
    "datasets.synthetic.train_tiles=2",
    "datasets.synthetic.validation_tiles=1",
    "datasets.synthetic.test_tiles=1",
    "datasets.synthetic.use=[train]",
    "datasets.synthetic.world.size_px=96",
]


def test_each_is_trained_on_and_scored_at_its_own_pixels(folder):
    done = run("train", *SETTINGS, "trainer.threshold_from=fine", "name=all", cwd=folder)
    assert done.returncode == 0, done.stderr
    (path,) = (folder / "runs" / "all").iterdir()
    metrics = json.loads((path / "metrics.json").read_text())
    for name in ("main", "fine"):
        assert metrics[f"test/{name}/f1"] is not None and f"test/{name}/apls" in metrics
    assert "test/synthetic/f1" not in metrics
    tiles = metrics["test/main/apls/n_total"] + metrics["test/fine/apls/n_total"]
    assert tiles == metrics["test/tiles"] == metrics["test/apls/n_total"] == 2
    config = load_checkpoint(str(path / "checkpoints" / "best.pt")).config
    assert sorted(config.datasets) == ["fine", "synthetic"]
    assert config.datasets["synthetic"].train_tiles == 2


def test_evaluate_scores_each_and_all_together_as_the_training_does(folder):
    (path,) = (folder / "runs" / "all").iterdir()
    command = [f"checkpoint={path / 'checkpoints' / 'best.pt'}", "overlays=1"]
    done = run("evaluate", *command, "out=again", cwd=folder)
    assert done.returncode == 0, done.stderr
    trained, again = (
        json.loads((where / "metrics.json").read_text()) for where in (path, folder / "again")
    )
    for key in (key for key in trained if key.startswith("test/")):
        assert again[key] == pytest.approx(trained[key], nan_ok=True), key
    tables = [(where / "graphs.csv").read_text() for where in (path, folder / "again")]
    assert tables[0] == tables[1] and "\nfine@" in tables[0]
    done = run("evaluate", *command, "split=train", "out=train", cwd=folder)
    assert done.returncode == 0, done.stderr
    learnt = json.loads((folder / "train" / "metrics.json").read_text())
    assert learnt["train/synthetic/apls/n_total"] == 2
    named = [learnt[f"train/{name}/apls/n_total"] for name in ("main", "fine", "synthetic")]
    assert sum(named) == learnt["train/tiles"]


def test_evaluate_names_the_dataset_that_is_gone(folder):
    (path,) = (folder / "runs" / "all").iterdir()
    (folder / "fine").rename(folder / "gone")
    try:
        best = path / "checkpoints" / "best.pt"
        done = run("evaluate", f"checkpoint={best}", "out=bad", cwd=folder)
    finally:
        (folder / "gone").rename(folder / "fine")
    assert done.returncode == 2 and "datasets.fine.images" in done.stderr, done.stderr
    assert not (folder / "bad").exists()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            ["datasets.fine.raw=nowhere"],
            "datasets.fine.images=nowhere/images: there is no",
        ),
        (["datasets=[nothing]"], "dataset=nothing: there is no such choice"),
        (["trainer.threshold_from=synthetic"], "one of all, main, fine"),
        (["datasets.fine.weight=0"], "datasets.fine.weight=0"),
        (["datasets.fine.colour=red"], "colour"),
    ],
)
def test_what_cannot_be_is_one_line(folder, settings, complaint):
    done = run("train", *SETTINGS, "name=bad", *settings, cwd=folder)
    lines = [line for line in done.stderr.splitlines() if line.startswith("roadex:")]
    assert done.returncode == 2 and len(lines) == 1 and complaint in lines[0], done.stderr


def test_tiles_are_seen_as_in_training():
    numbers = ([0.5] * 3, [0.2] * 3)
    device = torch.device("cpu")
    predictor = Predictor(torch.nn.Identity(), device, *numbers, InferenceConfig())
    own = Member(Path(), gsd=1.0, draws=1, mean=[0.1] * 3, std=[0.3] * 3)
    assert for_member(predictor, own).mean == own.mean
    fine = for_member(predictor, Member(Path(), gsd=0.25, draws=1, zoom=0.25))
    assert isinstance(fine, RescaledPredictor) and fine.factor == 0.25
    assert for_member(predictor, Member(Path(), gsd=0.25, draws=1)) is predictor
