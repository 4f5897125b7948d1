"""Real trainings in processes of their own, to be interrupted."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

from tests.support.worlds import write_folder

# Wall-clock figures; all else is the same to the last bit.
INEXACT = ("seconds", "images_per_s")
TINY = [
    "model.width=16", "model.blocks=1", "model.head_width=8", "dataset=folder", "dataset.gsd=1",
    "dataset.images=images", "dataset.masks=masks", "dataset.crop=64", "trainer.epochs=3",
    "trainer.batch_size=4", "trainer.overlays=0", "trainer.save_steps=1", "trainer.ema=0.9",
    "optimizer=adamw", "scheduler=cosine", "augment=paper", "tracking.mode=disabled",
    "dataset.workers=1",
]  # fmt: skip


class Trainings:
    """Trainings of a tiny model on tiny tiles below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_folder(folder, 30)

    def start(self, *settings: str, **variables: str) -> subprocess.Popen[str]:
        """Start a training; its output goes to a pipe."""
        command = [sys.executable, "-m", "roadex.train", *TINY, *settings]
        cache = {"ROADEX_CACHE": str(self.folder / "cache")}
        environment = {**os.environ, **cache, **variables, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *settings: str, **variables: str) -> tuple[int, str]:
        """Train to the end; exit code and output."""
        process = self.start(*settings, **variables)
        output, _ = process.communicate()
        return process.returncode, output

    def path(self, name: str) -> Path:
        """The folder of the run that was started with hydra.run.dir=NAME."""
        return self.folder / name


def wait_for(condition, process, seconds: float = 300) -> None:
    """Wait until a condition holds or the process, of Popen's kind, ends."""
    end = time.monotonic() + seconds
    while not condition() and process.poll() is None:
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def snapshots(run: Path) -> list[Path]:
    """The states that a run continues from, the oldest first."""
    return sorted((run / "checkpoints" / "resume").glob("epoch-*.pt"))


def outcome(run: Path) -> dict:
    """All that must be the same in a training that was interrupted and in one that was not."""
    contents = {
        name: torch.load(run / "checkpoints" / f"{name}.pt", weights_only=True)
        for name in ("best", "last")
    }
    for content in contents.values():
        del content["config"]  # which also tells how many processes loaded, and to whom it was told
        content["weights"] = {k: v.numpy().tobytes() for k, v in content["weights"].items()}
    rows = list(csv.DictReader((run / "history.csv").open()))
    metrics = json.loads((run / "metrics.json").read_text())
    exact = [{k: v for k, v in row.items() if k not in INEXACT} for row in (*rows, metrics)]
    return {"contents": contents, "history": exact[:-1], "metrics": exact[-1]}
