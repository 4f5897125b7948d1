"""Trackers other than W&B, and that none of them can hold a training."""

from __future__ import annotations

import csv
import json
import threading
import time

import pytest

from roadex.config.tracking import TrackingConfig
from roadex.tracking import open_tracker
from roadex.tracking.tracker import GuardedTracker, NoTracker


def test_the_csv_tracker_keeps_everything_in_plain_files(tmp_path):
    with open_tracker(TrackingConfig(kind="csv"), {"seed": 1}, tmp_path, "train") as tracker:
        tracker.log({"loss": 2.0, "lr": 0.1}, step=1)
        tracker.log({"loss": 1.5}, step=2)
        tracker.table("test/graphs", [{"tile": "a", "apls": 0.5}], step=2)
        tracker.summary({"test/f1": 0.8})
    rows = list(csv.DictReader((tmp_path / "tracking/scalars.csv").open()))
    assert [(row["key"], row["step"], row["value"]) for row in rows] == [
        ("loss", "1", "2.0"),
        ("lr", "1", "0.1"),
        ("loss", "2", "1.5"),
    ]
    assert json.loads((tmp_path / "tracking/summary.json").read_text()) == {"test/f1": 0.8}
    (row,) = csv.DictReader((tmp_path / "tracking/test_graphs.csv").open())
    assert row == {"step": "2", "tile": "a", "apls": "0.5"}


def test_tensorboard_reads_back_what_was_logged(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    config = TrackingConfig(kind="tensorboard")
    with open_tracker(config, {"seed": 1}, tmp_path, "train") as tracker:
        tracker.log({"loss": 2.0}, step=1)
        tracker.log({"loss": 1.5}, step=2)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 2.0), (2, 1.5)]


class Stuck(NoTracker):
    """Never returns once it is asked to log, like a server that hangs."""

    def __init__(self) -> None:
        self.calls = 0

    def log(self, values, step):
        self.calls += 1
        threading.Event().wait()

    def finish(self, exit_code):
        threading.Event().wait()


def test_a_tracker_that_hangs_is_reported_once_and_left(caplog):
    stuck = Stuck()
    tracker = GuardedTracker(stuck, "W&B", patience_s=0.1)
    started = time.monotonic()
    for step in range(50):
        tracker.log({"loss": 1.0}, step)
    assert not tracker.finish(0)
    assert time.monotonic() - started < 5
    assert stuck.calls == 1
    assert caplog.text.count("no answer within 0.1 s") == 1


def test_a_tracker_that_is_disabled_does_nothing(tmp_path):
    with open_tracker(TrackingConfig(mode="disabled"), {}, tmp_path, "train") as tracker:
        tracker.log({"loss": 1.0}, 1)
    assert not list(tmp_path.iterdir())
