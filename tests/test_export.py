"""Exported folders: complete, read back, and equal to the checkpoint."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from roadex.config.export import ExportConfig
from roadex.config.train import TrainConfig
from roadex.errors import RoadexError
from roadex.prediction.pipeline import load_model
from roadex.runs.checkpoint import Checkpoint, save_checkpoint
from roadex.runs.export import export_checkpoint
from roadex.runs.load import load_checkpoint, load_trainable
from tests.config.test_composition import train_config
from tests.support.zoo import ZOO, tiny

IMAGE = np.random.default_rng(0).integers(0, 256, (90, 70, 3)).astype(np.uint8)


def write_checkpoint(path, name="linknet", **changes):
    """An untrained tiny model as a checkpoint."""
    config: TrainConfig = train_config("dataset=synthetic")
    config.model, config.backbone = replace(ZOO[name][0], **changes), ZOO[name][1]
    model = tiny(name, **changes)
    scores = {"f1": 0.5, "apls": 0.25}
    checkpoint = Checkpoint(model.state_dict(), config, 0.4, [0.5] * 3, [0.2] * 3, 3, scores)
    save_checkpoint(path, checkpoint)
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("run") / "best.pt")


def probabilities(path):
    return load_model(path, device="cpu").predictor(IMAGE)


def assert_alike(first, second):
    assert first.keys() == second.keys()
    for task, values in first.items():
        # Random weights give extreme logits, whose last digits differ from processor to processor.
        np.testing.assert_allclose(second[task], values, atol=5e-4)


def test_safetensors_folder_is_read_back_by_a_command(checkpoint, tmp_path):
    command = [sys.executable, "-m", "roadex.export", f"checkpoint={checkpoint}"]
    command += ["format=safetensors", f"out={tmp_path / 'card'}", "licence=CC BY 4.0"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_alike(probabilities(checkpoint), probabilities(tmp_path / "card"))
    loaded = load_checkpoint(tmp_path / "card")
    assert loaded.config == load_checkpoint(checkpoint).config and loaded.threshold == 0.4
    card = (tmp_path / "card" / "README.md").read_text()
    pixel = f"{loaded.config.dataset.gsd} m per pixel"
    for said in ("linknet", "0.4", "CC BY 4.0", pixel, "| f1 | 0.5 |", "0.5, 0.5, 0.5"):
        assert said in card


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n == "linknet" else pytest.mark.slow) for n in sorted(ZOO)],
)
def test_onnx_runtime_answers_as_the_model_at_any_size(name, tmp_path):
    source = write_checkpoint(tmp_path / "best.pt", name)
    export_checkpoint(ExportConfig(str(source), str(tmp_path / "onnx")))
    first, second = probabilities(source), probabilities(tmp_path / "onnx")
    assert_alike(first, second)
    assert json.loads((tmp_path / "onnx" / "roadex.json").read_text())["tasks"].keys() >= set(first)


def test_onnx_carries_the_attributes_of_roads(tmp_path):
    names = ["speed", "class"]
    source = write_checkpoint(tmp_path / "best.pt", attributes=True, attribute_names=names)
    export_checkpoint(ExportConfig(str(source), str(tmp_path / "onnx")))
    first, second = probabilities(source), probabilities(tmp_path / "onnx")
    assert_alike(first, second)
    assert second["attributes"].shape == (20, *IMAGE.shape[:2])
    np.testing.assert_allclose(second["attributes"][:7].sum(axis=0), 1.0, atol=1e-5)
    assert load_model(tmp_path / "onnx", device="cpu").attributes == ("class", "speed")


def test_what_cannot_be_exported_or_read_is_refused_in_one_line(checkpoint, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing.txt").write_text("mine")
    with pytest.raises(RoadexError, match=r"out=.*full: is not empty; name a new folder"):
        export_checkpoint(ExportConfig(str(checkpoint), str(tmp_path / "full"), "safetensors"))
    with pytest.raises(RoadexError, match=r"no folder of roadex.export"):
        load_checkpoint(tmp_path / "full")
    export_checkpoint(ExportConfig(str(checkpoint), str(tmp_path / "card"), "safetensors"))
    weights = tmp_path / "card" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(RoadexError, match=r"model.safetensors: missing or damaged"):
        load_checkpoint(tmp_path / "card")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("threshold", 7.5),
        ("threshold", True),
        ("std", [0.2, 0.2]),
        ("mean", [0.5, "a", 0.5]),
        ("epoch", -2),
        ("chance", 1.5),
        ("contrast", {"all cities": [1, 2]}),
        ("format", None),
    ],
)
def test_values_of_a_card_that_no_export_writes_are_refused(checkpoint, tmp_path, key, value):
    folder = tmp_path / "card"
    export_checkpoint(ExportConfig(str(checkpoint), str(folder), "safetensors"))
    card = json.loads((folder / "roadex.json").read_text())
    (folder / "roadex.json").write_text(json.dumps({**card, key: value}))
    with pytest.raises(RoadexError, match=f"roadex.json: damaged: its {key} cannot be used"):
        load_checkpoint(folder)
    card["config"]["graph"]["min_component"] = -5
    (folder / "roadex.json").write_text(json.dumps(card))
    with pytest.raises(RoadexError, match=r"roadex.json: "):
        load_checkpoint(folder)


def test_the_card_tells_the_test_scores_of_the_run(tmp_path):
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    write_checkpoint(run / "checkpoints" / "best.pt")
    (run / "metrics.json").write_text(json.dumps({"test/f1": 0.4321, "test/apls": None, "seed": 1}))
    config = ExportConfig(str(run), str(tmp_path / "card"), "safetensors")
    export_checkpoint(config)
    card = (tmp_path / "card" / "README.md").read_text()
    assert "on the test split" in card and "| f1 | 0.4321 |" in card and "| seed" not in card
    assert load_checkpoint(run).threshold == load_checkpoint(tmp_path / "card").threshold
    assert_alike(probabilities(run), probabilities(run / "checkpoints" / "best.pt"))


def test_files_of_an_exported_folder_say_what_to_do(checkpoint, tmp_path):
    export_checkpoint(ExportConfig(str(checkpoint), str(tmp_path / "onnx"), "onnx"))
    with pytest.raises(RoadexError, match=r"model.onnx: give the folder that it lies in"):
        load_checkpoint(tmp_path / "onnx" / "model.onnx")
    with pytest.raises(RoadexError, match=r"init=.*: an ONNX file can be used but not trained"):
        load_trainable(tmp_path / "onnx", "init")
