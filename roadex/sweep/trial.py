"""One trial of a search: a training that is watched, and pruned if its scores are poor."""

from __future__ import annotations

import csv
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.trial import Trial

from roadex.config.sweep import SweepConfig
from roadex.errors import PREEMPTED, Preempted
from roadex.sweep.process import job_arguments, job_command, job_environment, stop, supervise
from roadex.sweep.records import failure_reason
from roadex.sweep.slots import gpu_slot

LOOK_SECONDS = 1.0


class TrialFailed(Exception):
    """The training of a trial ended without a score."""


def run_trial(
    trial: Trial,
    overrides: list[str],
    settings: SweepConfig,
    search: Path,
    name: str,
    column: str,
) -> float:
    """Train in SEARCH/`name` and give the best validation score.

    Args:
        column: that of history.csv which holds the validation scores.

    Raises:
        optuna.TrialPruned: others did better at the same epoch.
        TrialFailed: the training failed.
        Preempted: it was signalled to stop; the trial stays open, to be continued.
    """
    run = search / name
    watcher = PruningWatch(trial, run / "history.csv", column)
    command = job_command(settings.processes, job_arguments(overrides, run))
    with gpu_slot(settings) as gpus:
        environment = job_environment(settings, gpus, pinned=True)
        code = supervise(command, environment, search, name, gpus, watcher.watching)
    watcher.report()
    if watcher.pruned:
        raise optuna.TrialPruned
    if code == PREEMPTED:
        raise Preempted("a signal to its training")
    scores = run / "metrics.json"
    if not scores.is_file():
        raise TrialFailed(f"{name}: {failure_reason(search, name)}")
    metric = column.removeprefix("validation/")
    return float(json.loads(scores.read_text(encoding="utf-8"))[f"best_validation/{metric}"])


class PruningWatch:
    """Reports a training's validation scores to Optuna as they come, and ends a pruned one."""

    def __init__(self, trial: Trial, history: Path, column: str) -> None:
        self.trial = trial
        self.history = history
        self.column = column
        self.pruned = False
        self._reported: set[int] = set()

    @contextmanager
    def watching(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Watch while the block runs, from a thread of its own."""
        end = threading.Event()
        thread = threading.Thread(target=self._watch, args=(process, end), daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()

    def _watch(self, process: subprocess.Popen[bytes], end: threading.Event) -> None:
        while not end.wait(LOOK_SECONDS):
            if self.report() and self.trial.should_prune():
                self.pruned = True
                stop(process)
                return

    def report(self) -> bool:
        """Report new scores to Optuna; returns whether there were any."""
        new = [pair for pair in self._scores() if pair[0] not in self._reported]
        for epoch, score in new:
            self.trial.report(score, epoch)
            self._reported.add(epoch)
        return bool(new)

    def _scores(self) -> list[tuple[int, float]]:
        """Epochs that were validated, with their scores."""
        try:
            with self.history.open(encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file) if row.get(self.column)]
            return [(int(float(row["epoch"])), float(row[self.column])) for row in rows]
        except (OSError, ValueError):
            return []
