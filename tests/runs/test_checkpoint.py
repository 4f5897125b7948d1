"""Checkpoints: complete, safe to load, and refused in one line where they do not fit."""

from __future__ import annotations

import pickle
import zipfile

import pytest
import torch

from roadex.config.backbone import PaperBackboneConfig
from roadex.config.model import GlobalAware, StackedMultitaskConfig
from roadex.config.names import RENAMED
from roadex.errors import RoadexError
from roadex.models.registry import build_model
from roadex.runs.checkpoint import Checkpoint, load_weights, save_checkpoint
from roadex.runs.load import load_checkpoint, load_trainable
from tests.config.test_composition import train_config

CONTRAST = {"AOI_2": {"low": [5, 6, 7], "high": [900, 800, 700], "training_tiles": 3}}
SMALL = ("model.width=16", "model.blocks=1", "model.head_width=8", "model.global_aware=channel")


@pytest.fixture
def checkpoint():
    config = train_config(*SMALL)
    model = build_model(config.model, config.backbone)
    weights = model.state_dict()
    return Checkpoint(weights, config, 0.375, [0.1] * 3, [0.2] * 3, 7, {"f1": 0.5}, CONTRAST)


def test_round_trip_keeps_the_network_and_how_to_use_it(checkpoint, tmp_path):
    save_checkpoint(tmp_path / "c.pt", checkpoint)
    loaded = load_checkpoint(tmp_path / "c.pt")
    assert loaded.threshold == 0.375 and loaded.epoch == 7 and loaded.scores == {"f1": 0.5}
    assert loaded.config == checkpoint.config and loaded.contrast == CONTRAST
    assert loaded.config.model.global_aware is GlobalAware.channel
    image = torch.randn(1, 3, 40, 40)
    expected = checkpoint.build()(image)["segmentation"][-1]
    assert torch.equal(loaded.build()(image)["segmentation"][-1], expected)


def test_a_file_from_before_the_contrast_was_kept_still_loads(checkpoint, tmp_path):
    save_checkpoint(tmp_path / "c.pt", checkpoint)
    content = torch.load(tmp_path / "c.pt", weights_only=True)
    del content["contrast"]
    torch.save(content, tmp_path / "old.pt")
    assert load_checkpoint(tmp_path / "old.pt").contrast == {}


def test_a_file_with_settings_of_earlier_names_still_loads(checkpoint, tmp_path):
    save_checkpoint(tmp_path / "new.pt", checkpoint)
    content = torch.load(tmp_path / "new.pt", weights_only=True)
    for before, now in RENAMED.items():
        *groups, last = now.split(".")
        node = content["config"]
        for group in groups:
            node = node[group]
        node[before.rpartition(".")[2]] = node.pop(last)
    torch.save(content, tmp_path / "old.pt")
    assert load_checkpoint(tmp_path / "old.pt").config == checkpoint.config


def test_loads_without_unpickling_code(checkpoint, tmp_path):
    save_checkpoint(tmp_path / "c.pt", checkpoint)
    assert torch.load(tmp_path / "c.pt", weights_only=True)["threshold"] == 0.375


class Malice:
    """What an unsafe loader would run."""

    def __reduce__(self):
        return (print, ("unpickled",))


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, capsys):
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Malice()))
    torch.save({"weights": Malice(), "format": 1}, tmp_path / "evil2.pt")
    for name in ("evil.pt", "evil2.pt"):
        with pytest.raises(RoadexError, match=f"{name}: damaged, or not a roadex checkpoint"):
            load_checkpoint(tmp_path / name)
    assert "unpickled" not in capsys.readouterr().out


def test_missing_truncated_and_foreign_files_are_refused(checkpoint, tmp_path):
    save_checkpoint(tmp_path / "c.pt", checkpoint)
    (tmp_path / "half.pt").write_bytes((tmp_path / "c.pt").read_bytes()[:5000])
    torch.save({"state_dict": {}}, tmp_path / "foreign.pt")
    for name, complaint in {
        "nowhere.pt": "no such file",
        "half.pt": "damaged",
        "foreign.pt": "not a roadex checkpoint",
    }.items():
        with pytest.raises(RoadexError, match=f"^checkpoint=.*{name}: {complaint}"):
            load_checkpoint(tmp_path / name)
        with pytest.raises(RoadexError, match=f"^init=.*{name}: {complaint}"):
            load_trainable(tmp_path / name, "init")


@pytest.mark.parametrize("other", [{"stacks": 1}, {"width": 24}])
def test_weights_of_another_architecture_are_refused(checkpoint, other):
    sizes = {"width": 16, "blocks": 1, "head_width": 8, **other}
    model = build_model(StackedMultitaskConfig(**sizes), PaperBackboneConfig())
    with pytest.raises(RoadexError, match=r"init=x: another architecture .*set model= alike"):
        load_weights(model, checkpoint.weights, "init=x")


def test_failed_writing_leaves_the_old_file(checkpoint, tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "c.pt", checkpoint)
    before = (tmp_path / "c.pt").read_bytes()

    def fail(content, path):
        path.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(RoadexError, match=r"c.pt cannot be written \(No space left"):
        save_checkpoint(tmp_path / "c.pt", checkpoint)
    assert [p.name for p in tmp_path.iterdir()] == ["c.pt"]
    assert (tmp_path / "c.pt").read_bytes() == before


@pytest.mark.parametrize(
    ("group", "key", "value"),
    [
        ("model", "width", -3),
        ("model", "stacks", 0),
        ("model", "name", None),
        ("dataset", "gsd", float("nan")),
        ("optimizer", "lr", "fast"),
        ("trainer", "epochs", [1]),
        ("augment", "flip", {}),
    ],
)
def test_settings_that_no_training_has_are_refused(checkpoint, tmp_path, group, key, value):
    save_checkpoint(tmp_path / "c.pt", checkpoint)
    content = torch.load(tmp_path / "c.pt", weights_only=True)
    content["config"][group][key] = value
    torch.save(content, tmp_path / "changed.pt")
    with pytest.raises(RoadexError, match=r"changed.pt: ") as refused:
        load_checkpoint(tmp_path / "changed.pt")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("std", [0.2, 0.0, 0.2]),
        ("std", [0.2, -0.1, 0.2]),
        ("epoch", -1),
        ("epoch", True),
        ("threshold", True),
        ("threshold", 0.0),
        ("threshold", float("nan")),
        ("contrast", []),
        ("contrast", {"all cities": {"low": [0, 0, 0]}}),
    ],
)
def test_values_that_no_training_writes_are_refused(checkpoint, tmp_path, key, value):
    save_checkpoint(tmp_path / "c.pt", checkpoint)
    content = torch.load(tmp_path / "c.pt", weights_only=True)
    torch.save({**content, key: value}, tmp_path / "changed.pt")
    with pytest.raises(RoadexError, match=f"changed.pt: damaged: its {key} cannot be used"):
        load_checkpoint(tmp_path / "changed.pt")


def test_a_pickle_that_pops_from_nothing_is_refused(checkpoint, tmp_path):
    save_checkpoint(tmp_path / "c.pt", checkpoint)
    with (
        zipfile.ZipFile(tmp_path / "c.pt") as sound,
        zipfile.ZipFile(tmp_path / "d.pt", "w") as bad,
    ):
        for name in sound.namelist():
            bad.writestr(name, b"\x80\x02." if name.endswith("data.pkl") else sound.read(name))
    with pytest.raises(RoadexError, match=r"d.pt: damaged, or not a roadex checkpoint"):
        load_checkpoint(tmp_path / "d.pt")
