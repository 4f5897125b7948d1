"""A sweep of real trainings: interrupted, continued, with one training that fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from roadex.sweep.records import is_running, read_record
from tests.support.trainings import Trainings, wait_for

MULTIRUN = "hydra.mode=MULTIRUN"  # as -m
GOOD = ("lr-0.001", "lr-0.002")
SWEEP = ["name=rates", "optimizer.lr=1e-3,2e-3,1e30", "trainer.epochs=4"]


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    return Trainings(tmp_path_factory.mktemp("sweep"))


@pytest.fixture(scope="module")
def interrupted(trainings):
    """A sweep of two trainings at once, stopped when the first has learned for an epoch."""
    process = trainings.start(
        MULTIRUN, *SWEEP, "hydra/launcher=gpus", "sweep.cpu_jobs=2", CUDA_VISIBLE_DEVICES=""
    )
    sweep = trainings.folder / "multirun" / "rates"
    wait_for(lambda: list(sweep.rglob("history.csv")), process, seconds=600)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=600)
    return process.returncode, output, sweep


def test_dry_run_says_what_there_is_to_do_and_leaves_nothing(tmp_path):
    done = train(tmp_path, "experiment=ablation/stacks", "seed=0,1", "sweep.dry_run=true")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("waiting") == 9 and "stacks-4  1" in done.stdout
    assert "no training has finished yet" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_sweep_has_stopped_its_trainings_and_says_so(interrupted):
    code, output, sweep = interrupted
    assert code == 75, output
    assert "stopped by SIGTERM: the same command continues" in output
    records = [read_record(sweep, f"{row}/seed-0") for row in GOOD]
    for record in filter(None, records):
        assert not is_running(replace(record, code=None))
    assert any(record is not None and record.code == 75 for record in records)


def test_the_same_command_finishes_and_one_failure_stays_alone(interrupted, trainings):
    sweep = interrupted[2]
    code, output = trainings.run(MULTIRUN, *SWEEP)
    assert code == 2 and "1 of 3 trainings failed" in output, output
    printed = [(sweep / ".sweep" / row / "seed-0.log").read_text() for row in GOOD]
    assert any("continuing" in text for text in printed)
    failed_lines = [line for line in output.splitlines() if line.startswith("optimizer.lr=1e+30")]
    reason = failed_lines[-1]  # the table of failures closes; before it come the job's states
    assert "lower optimizer.lr" in reason
    status = json.loads((sweep / "status.json").read_text())
    assert status["counts"] == {"finished": 2, "failed": 1}
    for row in GOOD:
        assert len((sweep / row / "seed-0" / "history.csv").read_text().splitlines()) == 1 + 4
        overrides = (sweep / row / "seed-0" / "overrides.yaml").read_text()
        assert (
            f"optimizer.lr={float(row[3:])}" in overrides and "tracking.group='rates'" in overrides
        )
    # Once more: what is finished is not even started.
    finished = {row: (sweep / row / "seed-0" / "metrics.json").stat().st_mtime_ns for row in GOOD}
    code, output = trainings.run(
        MULTIRUN, "name=rates", "optimizer.lr=1e-3,2e-3", "trainer.epochs=4"
    )
    assert code == 0 and "running" not in output, output
    for row, written in finished.items():
        assert (sweep / row / "seed-0" / "metrics.json").stat().st_mtime_ns == written


def test_what_does_not_fit_the_folder_is_refused(interrupted, trainings):
    sweep = interrupted[2]
    code, output = trainings.run(
        MULTIRUN, "name=rates", "optimizer.lr=1e-3,5e-3", "trainer.epochs=5"
    )
    assert code == 2 and "holds a run with trainer.epochs=4, not 5" in output, output
    mark = sweep / "sweep.json"
    before = mark.read_text()
    mark.write_text(json.dumps({**json.loads(before), "version": "0.0.1"}))
    code, output = trainings.run(MULTIRUN, *SWEEP)
    mark.write_text(before)
    assert code == 2 and "was begun by roadex version 0.0.1" in output
    assert "sweep.any_version=true" in output


REFUSALS = {
    "model.stack=1,2": "there is no setting 'model.stack': did you mean 'model.stacks'?",
    "model.stacks=0,2": "model.stacks=0: must be at least 1",
    "model.global_aware=none,all": "expected one of [none, channel, spatial, both]",
    "backbone=paper,resnet99": "resnet99",
    "optimizer.lr=interval(0,1)": "optimizer.lr=interval(0,1): list the values",
    "hydra/launcher=slurm": "hydra/launcher=slurm: there is no sbatch here",
}


@pytest.mark.parametrize("override", REFUSALS)
def test_bad_sweep_is_refused_in_one_line_before_anything_starts(override, tmp_path):
    done = train(tmp_path, override, "seed=0,1", PATH="/nowhere")
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("roadex: ") and REFUSALS[override] in line
    assert not list(tmp_path.rglob("seed-*"))


def train(cwd: Path, *settings: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ROADEX_CACHE": str(cwd), **variables}
    command = [sys.executable, "-m", "roadex.train", "-m", *settings]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
