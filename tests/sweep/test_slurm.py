"""Sweeps of real trainings through a real SLURM: `make test-slurm` starts one and runs this."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from roadex.sweep.records import read_record
from tests.support.trainings import Trainings, wait_for

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        shutil.which("sbatch") is None or "SLURM_CONF" not in os.environ,
        reason="no SLURM: `make test-slurm` starts one on this machine",
    ),
]
EPOCHS = 40
SLURM = [
    "hydra.mode=MULTIRUN", "hydra/launcher=slurm", "hydra.launcher.gpus_per_node=null",
    "hydra.launcher.cpus_per_task=1", "hydra.launcher.timeout_min=30",
]  # fmt: skip
SWEEP = [
    "name=queue", "optimizer.lr=1e-3,2e-3", "seed=0", f"trainer.epochs={EPOCHS}",
    f"trainer.validate_every={EPOCHS}", "trainer.patience=0",
]  # fmt: skip


@pytest.fixture
def trainings(tmp_path):
    return Trainings(tmp_path)


def job_of(sweep: Path, row: str) -> str:
    """The number of the SLURM job that trains a row."""
    record = read_record(sweep, f"{row}/seed-0")
    assert record is not None and record.slurm is not None
    return record.slurm


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_jobs_that_are_killed_or_preempted_are_queued_again_and_complete(trainings):
    process = trainings.start(*SLURM, *SWEEP)
    sweep = trainings.folder / "multirun" / "queue"
    killed, preempted = "lr-0.001", "lr-0.002"
    histories = [sweep / row / "seed-0" / "history.csv" for row in (killed, preempted)]
    wait_for(lambda: histories[0].is_file(), process, seconds=1200)
    slurm("scontrol", "requeue", job_of(sweep, killed))
    wait_for(lambda: histories[1].is_file(), process, seconds=1200)
    slurm("scancel", "--signal=USR1", job_of(sweep, preempted))
    output, _ = process.communicate(timeout=1800)
    assert process.returncode == 0, output
    assert "2 trainings: 2 finished" in output
    for row, history in zip((killed, preempted), histories, strict=True):
        with history.open() as file:
            assert [int(line["epoch"]) for line in csv.DictReader(file)] == list(
                range(1, EPOCHS + 1)
            )
        printed = (sweep / ".sweep" / row / "seed-0.log").read_text()
        assert "continuing" in printed, f"{row} was not interrupted: {printed}"


def test_a_job_that_dies_for_good_fails_alone(trainings):
    process = trainings.start(*SLURM, *SWEEP)
    sweep = trainings.folder / "multirun" / "queue"
    lost, kept = "lr-0.001", "lr-0.002"
    history = sweep / lost / "seed-0" / "history.csv"
    wait_for(history.is_file, process, seconds=1200)
    assert history.is_file(), process.communicate()
    os.kill(read_record(sweep, f"{lost}/seed-0").pid, signal.SIGKILL)
    output, _ = process.communicate(timeout=1800)
    assert process.returncode == 2, output
    assert "1 of 2 trainings failed" in output and "killed by SIGKILL" in output
    assert (sweep / kept / "seed-0" / "metrics.json").is_file()


def test_a_queue_that_refuses_is_one_clear_line(trainings):
    code, output = trainings.run(*SLURM, *SWEEP, "hydra.launcher.partition=nowhere")
    assert code == 2 and "Traceback" not in output, output
    assert "roadex: hydra/launcher=slurm: SLURM refuses the jobs" in output
