"""Real trainings in processes that are forked from this one, to save their imports."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import tempfile
from pathlib import Path

import cv2

import roadex.engine.before_training
import roadex.train
from tests.support.trainings import TINY
from tests.support.worlds import write_folder

cv2.setNumThreads(1)  # threads do not survive a fork


class Training:
    """A training in a process of its own."""

    def __init__(self, folder: Path, arguments: list[str], variables: dict[str, str]) -> None:
        number, name = tempfile.mkstemp(dir=folder, suffix=".out")
        os.close(number)
        self._output = Path(name)
        what = (folder, ["train", *arguments], variables, self._output)
        self._process = multiprocessing.get_context("fork").Process(target=_train, args=what)
        self._process.start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code; minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def end(self) -> tuple[int, str]:
        """Wait for the end: exit code and output."""
        self._process.join(600)
        code = self.poll()
        assert code is not None, "it does not end"
        return code, self._output.read_text(encoding="utf-8", errors="replace")


def _train(folder: Path, arguments: list[str], variables: dict[str, str], output: Path) -> None:
    """What `python -m roadex.train` does in a new process."""
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1) for number in (1, 2))
    os.environ.update(variables)
    os.chdir(folder)
    sys.argv = arguments
    logging.getLogger().handlers.clear()  # of the test runner, which a new process has not
    roadex.train.main()


class Forks:
    """Trainings of a tiny model on tiny tiles below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_folder(folder, 30)

    def start(self, *settings: str, **variables: str) -> Training:
        """Start a training."""
        cache = {"ROADEX_CACHE": str(self.folder / "cache")}
        return Training(self.folder, [*TINY, *settings], {**cache, **variables})

    def run(self, *settings: str, **variables: str) -> tuple[int, str]:
        """Train to the end: exit code and output."""
        return self.start(*settings, **variables).end()

    def path(self, name: str) -> Path:
        """The folder of the run that was started with hydra.run.dir=NAME."""
        return self.folder / name
