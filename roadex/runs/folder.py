"""The folder of one run: what it was made from and what it made."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig

from roadex.config.schemas import to_yaml
from roadex.config.train import TrainConfig
from roadex.errors import RoadexError
from roadex.files import write_json, write_table, write_text
from roadex.runs import names
from roadex.runs.checkpoint import Checkpoint, save_checkpoint
from roadex.runs.environment import differences, environment
from roadex.runs.resume import choose_run, epochs_of, locked
from roadex.runs.snapshots import Snapshots

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run, and the writing of its files.

    Attributes:
        config: its settings.
        writes: whether this process writes in it; for the others, writing does nothing.
    """

    path: Path
    config: TrainConfig
    writes: bool = True

    @property
    def best(self) -> Path:
        """The checkpoint of the best validation score."""
        return self.path / names.CHECKPOINTS / names.BEST

    @property
    def last(self) -> Path:
        """The checkpoint after the last epoch."""
        return self.path / names.CHECKPOINTS / names.LAST

    @property
    def snapshots(self) -> Snapshots:
        """The checkpoints that the run continues from."""
        return Snapshots(self.path / names.CHECKPOINTS / names.SNAPSHOTS, self.config.trainer.keep)

    @property
    def overlays(self) -> Path:
        """Folder of the pictures."""
        return self.path / names.OVERLAYS

    @property
    def finished(self) -> bool:
        """Whether the run is over: its scores are written last."""
        return (self.path / names.METRICS).is_file()

    def write_checkpoint(self, path: Path, checkpoint: Checkpoint) -> None:
        """Write `best` or `last`."""
        if self.writes:
            save_checkpoint(path, checkpoint)

    def write_snapshot(self, content: dict[str, Any], epoch: int, batch: int) -> None:
        """Write what the run continues from; raises as Snapshots.save."""
        if self.writes:
            self.snapshots.save(content, epoch, batch)

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write history.csv; a column that an epoch lacks stays empty."""
        if self.writes:
            write_table(self.path / names.HISTORY, rows)

    def write_tiles(self, rows: list[dict[str, Any]]) -> None:
        """Write the scores of each test tile."""
        write_table(self.path / names.TILES, rows)

    def finish(self, metrics: dict[str, Any]) -> None:
        """Write metrics.json, and remove what only an unfinished run needs."""
        write_json(self.path / names.METRICS, metrics)
        if not self.config.trainer.extendable:
            self.snapshots.remove()

    def reopen(self, epochs: int) -> None:
        """Reopen a finished run of `epochs` epochs, to continue to the epochs of its settings.

        Raises:
            RoadexError: the state to continue from was not kept.
        """
        if self.snapshots.newest() is None:
            raise RoadexError(
                f"{self.path} is finished after {epochs} epochs and its state was "
                f"not kept (trainer.extendable=true): start from its weights, init={self.path}"
            )
        (self.path / names.METRICS).unlink()

    def write_records(self, task_overrides: list[str]) -> None:
        """Write the configuration, the overrides and the environment.

        The records of the start of a continued run stay as they are; changes of the machine or
        the code since then are in the list `continued` of the environment.
        """
        write_text(self.path / names.CONFIG, to_yaml(self.config))
        now = environment(self.config.seed)
        before = self._environment()
        if before is None:
            overrides = "".join(f"- {line}\n" for line in task_overrides)
            write_text(self.path / names.OVERRIDES, overrides or "[]\n")
            write_json(self.path / names.ENVIRONMENT, now)
            return
        for line in (changed := differences(before, now)):
            log.warning("since the run was started, %s: the last digits may differ", line)
        before.setdefault("continued", []).append({"command": now["command"], "changed": changed})
        write_json(self.path / names.ENVIRONMENT, before)

    def add_to_environment(self, facts: dict[str, Any]) -> None:
        """Add facts that only the running training knows."""
        if self.writes:
            write_json(self.path / names.ENVIRONMENT, {**(self._environment() or {}), **facts})

    def _environment(self) -> dict[str, Any] | None:
        path = self.path / names.ENVIRONMENT
        content: dict[str, Any] | None = json.loads(path.read_text()) if path.is_file() else None
        return content


@contextmanager
def open_run(config: TrainConfig) -> Iterator[RunFolder]:
    """The folder of the run of `config`, locked against other processes.

    It is Hydra's, or that of an earlier run which `resume` continues (roadex/runs/resume.py).
    A finished one is only read.

    Raises:
        RoadexError: the folder holds a run of other settings, is in use or cannot be written.
    """
    hydra = HydraConfig.get()
    path, config = choose_run(config, Path(hydra.runtime.output_dir), list(hydra.overrides.task))
    with locked(path):
        run = RunFolder(path, config)
        if run.finished and (epochs := epochs_of(path)) < config.trainer.epochs:
            run.reopen(epochs)
        if not run.finished:
            run.write_records(list(hydra.overrides.task))
        yield run
