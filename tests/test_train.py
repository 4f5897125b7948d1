"""End to end: training learns, is reproducible, and writes all that it promises."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.support.worlds import write_folder

TINY = [
    "model.width=16", "model.blocks=1", "model.head_width=8", "tracking.mode=disabled",
    "trainer.epochs=2", "trainer.batch_size=4", "trainer.overlays=1", "dataset.crop=64",
]  # fmt: skip


def run(module: str, *arguments: str, cwd: Path, cache: Path | None = None, **variables: str):
    """Run a command of roadex as a user does."""
    environment = {**os.environ, "ROADEX_CACHE": str(cache or cwd / "cache"), **variables}
    command = [sys.executable, "-m", f"roadex.{module}", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def train(cwd: Path, name: str, *arguments: str, **variables: str) -> Path:
    done = run("train", f"name={name}", *arguments, cwd=cwd, **variables)
    assert done.returncode == 0, done.stderr
    (folder,) = (cwd / "runs" / name).iterdir()
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A training on the built-in world that has a minute to learn in."""
    cwd = tmp_path_factory.mktemp("world")
    return train(
        cwd, "learns", "experiment=quickstart", "model.width=24", "dataset.world.size_px=192",
        "dataset.train_tiles=40", "dataset.validation_tiles=8", "dataset.test_tiles=12",
        "dataset.crop=128", "trainer.epochs=15", "dataset.crops_per_tile=4",
    )  # fmt: skip


def test_training_on_the_world_really_learns(world):
    metrics = json.loads((world / "metrics.json").read_text())
    rows = list(csv.DictReader((world / "history.csv").open()))
    assert float(rows[-1]["loss/total"]) < 0.75 * float(rows[0]["loss/total"])
    # Marking every pixel as road would score about 0.28.
    assert metrics["test/f1"] > 0.5
    assert metrics["test/iou"] == pytest.approx(metrics["test/f1"] / (2 - metrics["test/f1"]))
    assert metrics["test/apls"] > 0


def test_run_folder_holds_all_that_is_promised(world):
    metrics = json.loads((world / "metrics.json").read_text())
    for key in ("f1", "iou", "precision", "recall", "apls", "relaxed_f1", "connectivity_iou"):
        assert 0 <= metrics[f"test/{key}"] <= 1
    assert metrics["test/apls/n_total"] == 12 and metrics["test/apls/n_scored"] <= 12
    assert metrics["threshold_from"] == "validation" and len(metrics["split_hash"]) == 12
    environment = json.loads((world / "environment.json").read_text())
    assert (
        environment["seed"] == 0
        and environment["packages"]["torch"] == torch.__version__.split("+")[0]
    )
    assert "size_px: 192" in (world / "config.yaml").read_text()
    assert "- model.width=24" in (world / "overrides.yaml").read_text()
    assert len(list((world / "overlays").glob("*.jpg"))) == 6
    assert len(list((world / "overlays/truth_vs_prediction").glob("*.png"))) == 6
    assert (world / "train.log").stat().st_size > 0
    header = (world / "history.csv").read_text().splitlines()[0].split(",")
    assert {"loss/segmentation/full", "loss/connectivity/stack1", "validation/apls"} <= set(header)
    assert list((world / "wandb").glob("offline-run-*"))


def test_evaluate_repeats_the_scores_of_the_training(world, tmp_path):
    best = world / "checkpoints" / "best.pt"
    done = run(
        "evaluate",
        f"checkpoint={best}",
        "out=scores",
        "overlays=1",
        cwd=tmp_path,
        cache=world.parents[2] / "cache",
    )
    assert done.returncode == 0, done.stderr
    ours = json.loads((tmp_path / "scores" / "metrics.json").read_text())
    theirs = json.loads((world / "metrics.json").read_text())
    for key in ("test/f1", "test/iou", "test/apls", "test/apls/n_scored", "threshold"):
        assert ours[key] == pytest.approx(theirs[key], abs=1e-9), key
    scored = run(
        "score",
        "truth=scores/truth",
        "proposal=scores/graphs",
        "metrics=[apls,topo]",
        "out=again",
        cwd=tmp_path,
    )
    assert scored.returncode == 0, scored.stderr
    again = json.loads(next((tmp_path / "again").glob("*.json")).read_text())
    assert ours["test/apls"] == pytest.approx(again["apls"], abs=1e-9)
    assert ours["test/topo/f1"] == pytest.approx(again["topo/f1"], abs=1e-9)
    rows = list(csv.DictReader((tmp_path / "scores" / "graphs.csv").open()))
    assert len(rows) == 12
    road = [int(row["true_px"]) for row in rows]
    found = [float(row["recall"]) * pixels for row, pixels in zip(rows, road, strict=True)]
    assert sum(found) / sum(road) == pytest.approx(ours["test/recall"])
    assert len(list((tmp_path / "scores" / "graphs").glob("*.geojson"))) == 12


@pytest.mark.slow
def test_attributes_of_roads_are_learnt_scored_and_drawn(tmp_path):
    """From a training of a few steps to the scores of a test and to the columns of a prediction."""
    learnt = train(
        tmp_path, "attributes", "model.attributes=true", "model.attribute_names=[class,lanes]",
        "dataset.world.size_px=128", "dataset.train_tiles=8", "dataset.validation_tiles=2",
        "dataset.test_tiles=2", "dataset.world.motorway_share=1", "trainer.accumulate=2", *TINY,
    )  # fmt: skip
    row = list(csv.DictReader((learnt / "history.csv").open()))[-1]
    assert float(row["loss/attribute_class/full"]) > 0 and "loss/attribute_surface/full" not in row
    assert 0 <= float(row["validation/class_macro_f1"]) <= 1
    theirs = json.loads((learnt / "metrics.json").read_text())
    assert set(theirs["confusion"]) == {"class", "lanes", "speed"}, "by the table"
    assert 0 <= theirs["test/speed_within_10_kph"] <= 1
    done = run("evaluate", f"checkpoint={learnt}", "out=scores", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ours = json.loads((tmp_path / "scores" / "metrics.json").read_text())
    for key in ("test/class_macro_f1", "test/lanes_accuracy", "test/speed_error_kph", "confusion"):
        assert ours[key] == theirs[key], key


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("folder")
    write_folder(root, 30)
    return root


def folder_arguments(root: Path) -> list[str]:
    return [
        "dataset=folder",
        "dataset.gsd=1",
        f"dataset.images={root}/images",
        f"dataset.masks={root}/masks",
        *TINY,
    ]


@pytest.fixture(scope="module")
def first(folder):
    """A training on the folder, which others are compared with or start from."""
    return train(folder, "one", *folder_arguments(folder), "seed=3")


def weights_of(run: Path, checkpoint: str = "last") -> dict[str, torch.Tensor]:
    content = torch.load(run / "checkpoints" / f"{checkpoint}.pt", weights_only=True)
    return content["weights"]


def test_two_runs_of_one_command_give_the_same_weights(folder, first):
    runs = [first, train(folder, "two", *folder_arguments(folder), "seed=3")]
    weights = [weights_of(run) for run in runs]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    metrics = [json.loads((run / "metrics.json").read_text()) for run in runs]
    for entry in metrics:
        del entry["seconds"]
    assert metrics[0] == metrics[1]


def test_another_seed_gives_other_weights(folder, first):
    second = train(folder, "seed4", *folder_arguments(folder), "seed=4")
    weights = [weights_of(run) for run in (first, second)]
    assert not torch.equal(*(w["stacks.0.features.2.weight"] for w in weights))


def test_training_starts_from_the_weights_of_a_checkpoint(folder, first):
    settings = folder_arguments(folder)
    again = train(
        folder, "warm", *settings, f"init={first}/checkpoints/best.pt", "optimizer.lr=1e-12",
        "trainer.epochs=1",
    )  # fmt: skip
    weights = [weights_of(run, "best") for run in (first, again)]
    key = "stacks.0.features.2.weight"
    torch.testing.assert_close(weights[0][key], weights[1][key], atol=1e-6, rtol=0)
    other = run(
        "train", "name=other", *settings, f"init={first}/checkpoints/best.pt", "model.stacks=1",
        cwd=folder,
    )  # fmt: skip
    assert other.returncode == 2 and "another architecture" in other.stderr
    assert not (folder / "runs" / "other").exists()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["model.connectivity=false"], ""),
        (["model.global_aware=none", "trainer.ema=0.9", "trainer.channels_last=true"], ""),
        (
            ["trainer.precision=bf16", "trainer.clip_norm=1", "augment=paper", "scheduler=cosine"],
            "",
        ),
        (["optimizer.lr=1e30", "optimizer=sgd"], "lower optimizer.lr"),
    ],
)
def test_settings_train_or_say_why_not(folder, settings, complaint):
    name = f"s{abs(hash(tuple(settings)))}"
    done = run(
        "train",
        f"name={name}",
        *folder_arguments(folder),
        *settings,
        "trainer.epochs=3",
        cwd=folder,
    )
    if complaint:
        assert done.returncode == 2 and complaint in done.stderr and "Traceback" not in done.stderr
    else:
        assert done.returncode == 0, done.stderr


def test_bad_data_is_refused_in_one_line_and_leaves_no_run(folder, tmp_path):
    write_folder(tmp_path, 30)
    (tmp_path / "images" / "tile05.png").write_bytes(b"")
    done = run("train", "name=bad", *folder_arguments(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("roadex: ")]
    assert "tile05.png: not a readable image; replace or remove the file" in line
    assert "Traceback" not in done.stderr and not (tmp_path / "runs").exists()


def test_evaluate_refuses_what_is_no_checkpoint(tmp_path):
    (tmp_path / "x.pt").write_bytes(b"nothing")
    done = run("evaluate", "checkpoint=x.pt", "out=scores", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "x.pt: damaged, or not a roadex checkpoint" in done.stderr
    assert not (tmp_path / "scores").exists()


@pytest.mark.parametrize("command", ["train", "evaluate", "score"])
def test_help_teaches(command, tmp_path):
    done = run(command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.count(f"python -m roadex.{command}") >= 4
    assert "Groups:" in done.stdout and "apls" in done.stdout
