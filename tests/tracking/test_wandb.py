"""An offline W&B run, read back with wandb's own reader."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from wandb.proto import wandb_internal_pb2

from roadex.config.tracking import TrackingConfig
from roadex.rasters.pictures import write_image
from roadex.tracking import open_tracker, track_report
from roadex.tracking.tracker import NoTracker
from tests.support.trainings import Trainings, wait_for
from tests.support.wandb_server import serving

datastore = pytest.importorskip(
    "wandb.sdk.internal.datastore", reason="this wandb ships no Python reader; pin 0.28.2"
)


def read_run(folder: Path) -> list[wandb_internal_pb2.Record]:
    """All records of the one offline run below a folder."""
    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    return read_records(path)


def read_records(path: Path) -> list[wandb_internal_pb2.Record]:
    """All records of one offline run's file, which wandb's process ends a little after the run."""
    end = time.monotonic() + 30
    while (records := scan(path))[-1:] == [] or records[-1].WhichOneof("record_type") != "exit":
        assert time.monotonic() < end, f"{path} is not ended"
        time.sleep(0.05)
    return records


def scan(path: Path) -> list[wandb_internal_pb2.Record]:
    """The records that are in a file by now."""
    store = datastore.DataStore()
    store.open_for_scan(str(path))
    records = []
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        records.append(record)
    return records


def history(records: list[wandb_internal_pb2.Record]) -> list[dict]:
    """The logged rows."""
    rows = [r.history for r in records if r.WhichOneof("record_type") == "history"]
    return [
        {(i.key or "/".join(i.nested_key)): json.loads(i.value_json) for i in row.item}
        for row in rows
    ]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    write_image(tmp_path / "a.jpg", np.zeros((8, 8, 3), np.uint8))
    settings = {"name": "trial", "model": {"stacks": 2}}
    with open_tracker(TrackingConfig(), settings, tmp_path, "train") as tracker:
        tracker.log({"loss/total": 0.5, "images_per_s": 3.0}, step=4)
        tracker.pictures("test/overlays", [tmp_path / "a.jpg"], step=5)
        tracker.table("test/graphs", [{"tile": "a", "apls": 0.25}], step=5)
        tracker.summary({"test/f1": 0.75})
    return tmp_path


def test_offline_run_holds_config_scalars_pictures_table_and_summary(run):
    records = read_run(run)
    (start,) = [r.run for r in records if r.WhichOneof("record_type") == "run"][:1]
    config = {item.key: json.loads(item.value_json) for item in start.config.update}
    assert config["model"] == {"stacks": 2} and start.job_type == "train"
    rows = history(records)
    assert rows[0]["loss/total"] == 0.5 and rows[0]["_step"] == 4
    assert rows[1]["test/overlays/count"] == 1
    assert rows[1]["test/graphs/_type"] == "table-file"
    assert list(run.rglob("media/images/test/overlays*.jpg"))
    table = json.loads(next(run.rglob("media/table/test/graphs*.json")).read_text())
    assert table == {"columns": ["tile", "apls"], "data": [["a", 0.25]]}
    summary = {
        item.key: json.loads(item.value_json)
        for r in records
        if r.WhichOneof("record_type") == "summary"
        for item in r.summary.update
    }
    assert summary["test/f1"] == 0.75


def test_a_continued_run_is_the_same_run(run):
    with open_tracker(TrackingConfig(), {"name": "trial"}, run, "train") as tracker:
        tracker.log({"loss/total": 0.25}, step=8)
    paths = sorted(run.glob("wandb/offline-run-*/run-*.wandb"))
    (name,) = {path.name for path in paths}
    assert name == f"run-{(run / 'wandb_id.txt').read_text()}.wandb"
    logged = [
        row["loss/total"]
        for path in paths
        for row in history(read_records(path))
        if "loss/total" in row
    ]
    assert logged == [0.5, 0.25]


def test_disabled_keeps_nothing(tmp_path):
    with open_tracker(TrackingConfig(mode="disabled"), {}, tmp_path, "train") as tracker:
        tracker.log({"loss": 1.0}, step=1)
    assert isinstance(tracker, NoTracker) and list(tmp_path.iterdir()) == []


def test_a_wandb_that_cannot_start_does_not_stop_the_training(tmp_path, monkeypatch, caplog):
    def fail(**settings):
        raise OSError("no network")

    monkeypatch.setattr("wandb.init", fail)
    with open_tracker(TrackingConfig(), {}, tmp_path, "train") as tracker:
        tracker.log({"loss": 1.0}, step=1)
    assert "no network" in caplog.text and "going on without it" in caplog.text


def test_a_wandb_that_fails_later_is_reported_once(tmp_path, monkeypatch, caplog):
    with open_tracker(TrackingConfig(), {}, tmp_path, "train") as tracker:
        monkeypatch.setattr(tracker.tracker.run, "log", lambda *a, **k: 1 / 0)
        tracker.log({"loss": 1.0}, step=1)
        tracker.log({"loss": 1.0}, step=2)
    assert caplog.text.count("going on without it") == 1


def test_runs_of_a_sweep_are_one_group_and_tell_what_varies(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    settings = {
        "name": "stacks", "seed": 1, "dataset": {"kind": "spacenet"}, "backbone": {"kind": "paper"},
        "model": {"name": "stacked_multitask", "stacks": 2},
    }  # fmt: skip
    ids = set()
    for stacks in (1, 2):  # two runs of one process never merge
        folder = tmp_path / f"stacks-{stacks}"
        folder.mkdir()
        varied = [f"model.stacks={stacks}"]
        tracking = TrackingConfig(group="stacks", tags=["mine"], varied=varied)
        with open_tracker(tracking, settings, folder, "train") as tracker:
            tracker.log({"loss/total": float(stacks)}, step=1)
        records = read_run(folder)
        (start,) = [r.run for r in records if r.WhichOneof("record_type") == "run"][:1]
        config = {item.key: json.loads(item.value_json) for item in start.config.update}
        assert start.run_group == "stacks" and start.job_type == "train"
        parts = ["spacenet", "stacked_multitask", "paper", f"stacks={stacks}"]
        assert start.display_name == " ".join(["stacks", *parts, "seed=1"])
        assert list(start.tags) == [*parts, "mine"]
        assert config["varied/stacks"] == str(stacks)
        (row,) = history(records)
        assert row["loss/total"] == stacks
        ids.add(start.run_id)
    assert len(ids) == 2


def test_a_report_is_kept_as_tables_and_an_artifact(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    (tmp_path / "table.md").write_text("| setting |")
    tables = {"scores": [["setting", "F1"], ["stacks 1", "0.5"], ["stacks 2", "0.6"]]}
    track_report(TrackingConfig(), {"name": "my stacks"}, tmp_path, tables)
    records = read_run(tmp_path)
    (start,) = [r.run for r in records if r.WhichOneof("record_type") == "run"][:1]
    assert start.job_type == "report"
    table = json.loads(next(tmp_path.rglob("media/table/report/scores*.json")).read_text())
    assert table["columns"] == ["setting", "F1"] and table["data"][1] == ["stacks 2", "0.6"]
    kept = [
        r.request.log_artifact.artifact if r.WhichOneof("record_type") == "request" else r.artifact
        for r in records
    ]
    (artifact,) = [one for one in kept if one.name == "report-my_stacks"]
    assert [entry.path for entry in artifact.manifest.contents] == ["table.md"]


@pytest.mark.parametrize("home", [None, "", "/nonexistent"])
def test_without_a_home_the_helper_keeps_its_log_with_the_run(tmp_path, monkeypatch, home):
    from roadex.tracking.wandb_tracker import _give_cache

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    _give_cache(tmp_path)
    assert os.environ["XDG_CACHE_HOME"] == str(tmp_path / "wandb" / "cache")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    _give_cache(tmp_path)
    assert "XDG_CACHE_HOME" not in os.environ


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["500", "silent", "killed"])
def test_a_training_ends_with_its_scores_when_wandb_breaks_in_the_middle(tmp_path, broken):
    """A training of its own: what W&B leaves to the end of a process matters."""
    trainings = Trainings(tmp_path)
    history, metrics = (trainings.path("run") / name for name in ("history.csv", "metrics.json"))
    with serving() as server:
        process = trainings.start(
            "hydra.run.dir=run", "tracking.mode=online", "tracking.patience_s=5", **server.variables
        )
        wait_for(history.exists, process)
        if broken == "killed":
            (helper,) = [
                child for child in psutil.Process(process.pid).children() if "wandb" in child.name()
            ]
            helper.kill()
        server.broken = broken
        wait_for(metrics.exists, process)
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and server.asked
    assert json.loads(metrics.read_text())["test/f1"] > 0
    assert told.count("Weights & Biases failed") == told.count("going on without it") == 1
    assert "Traceback" not in told
