"""Prediction by jobs of a real SLURM: `make test-slurm` starts one and runs this."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from roadex.config.predict import PredictConfig, SlurmConfig
from roadex.errors import RoadexError
from roadex.prediction import batch
from roadex.prediction.crew import crew_of
from tests.support.stand_ins import bright_model, ladder, picture_of, write_tif

FILES = ("town.probability.tif", "town.graphml", "town.csv")
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        shutil.which("sbatch") is None or "SLURM_CONF" not in os.environ,
        reason="no SLURM: `make test-slurm` starts one on this machine",
    ),
]


@pytest.fixture
def town(tmp_path) -> Path:
    image = np.tile(picture_of(ladder(), (400, 400), 0.5), (6, 6, 1))
    return write_tif(tmp_path / "town.tif", image)


@pytest.fixture
def jobs(tmp_path) -> SlurmConfig:
    return SlurmConfig(memory="1GB", walltime="00:20:00", logs=str(tmp_path / "logs"), wait_min=2)


def kill_the_first(folder: Path, killed: list[str]) -> None:
    """Kill a job as a lost node would, as soon as the first block is there."""
    while not list(folder.glob(".town.work/block*")):
        time.sleep(0.01)
    queue = ["squeue", "--noheader", "--format=%i", "--states=RUNNING"]
    job = subprocess.run(queue, capture_output=True, text=True, check=True).stdout.split()[0]
    subprocess.run(["scancel", "--signal=KILL", "--full", job], check=True)
    killed.append(job)


@pytest.mark.parametrize("workers", [1, 2])
def test_jobs_one_of_them_killed_give_the_bytes_of_one_process(
    town, jobs, tmp_path, monkeypatch, workers
):
    monkeypatch.setattr(batch, "load_model", lambda *_: bright_model())
    said: list[str] = []
    killed: list[str] = []

    def predict(out: str, **settings: object) -> list[str]:
        config = PredictConfig(
            input=str(town), out=str(tmp_path / out), block_px=1024, overview_px=256, **settings
        )
        return batch.predict_all(config, said.append)[0]

    assert predict("one") == []
    threading.Thread(target=kill_the_first, args=(tmp_path / "many", killed)).start()
    assert predict("many", cluster="slurm", workers=workers, slurm=jobs) == [], said
    assert len(killed) == 1 and any(line.startswith("cluster=slurm: ") for line in said)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_a_queue_that_is_not_there_is_refused_in_one_line(jobs):
    jobs.partition = "nowhere"
    with (
        pytest.raises(RoadexError, match=r"SLURM refuses such jobs \(.*partition"),
        crew_of("slurm", 1, print, jobs),
    ):
        pytest.fail("the queue took them")
