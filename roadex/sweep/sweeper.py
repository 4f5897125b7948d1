"""Hydra's sweeper for trainings: stable folder names, and only unfinished trainings are started.

`hydra/sweeper: resumable` in conf/train.yaml chooses it, and hydra_plugins/roadex registers it with
Hydra. Each job runs in a process of its own (roadex/sweep/process.py), wherever the launcher starts
it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import configure_log
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from roadex.command.frame import typed
from roadex.command.overrides import quote
from roadex.command.refusal import CONFIG_ERRORS, refusal
from roadex.config.train import TrainConfig
from roadex.errors import RoadexError
from roadex.revision import revision
from roadex.sweep.jobs import SINGLE, Job, apart, expand
from roadex.sweep.overview import Overview, Watch, survey
from roadex.sweep.process import stopped_by_signals
from roadex.sweep.records import State, check_version, claim, close, forget
from roadex.sweep.slots import parallel_jobs

log = logging.getLogger(__name__)


class ResumableSweep:
    """Every combination of the swept values, in folders that their values name.

    Args:
        params: swept values by key, as an experiment file gives them; the command line wins.
    """

    def __init__(self, params: DictConfig | None = None) -> None:
        self.params = {str(key): str(value) for key, value in (params or {}).items()}
        self.config: DictConfig = OmegaConf.create()
        self.launcher: Launcher | None = None
        self.hydra_context: HydraContext | None = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra has made of the command line."""
        self.config, self.hydra_context = config, hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run the unfinished trainings, or only list all (sweep.dry_run).

        Raises:
            RoadexError: settings that no training can have, a folder that holds something else, or
                trainings that failed, after all others have run.
        """
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        jobs = expand(self._declared() + arguments, self.config.seed, self._parser())
        check_version(self.folder, revision(), self.config.sweep.any_version)
        jobs = [self._apart(job) for job in jobs]
        epochs = {job.folder: self._checked(job).trainer.epochs for job in jobs}

        def look() -> Overview:
            return survey(self.folder, jobs, epochs)

        overview = look()
        at_once = self._at_once(len(jobs))
        print(f"sweep {self.folder}\n{overview.table()}\n{overview.summary(at_once)}", flush=True)
        if not self.config.sweep.dry_run:
            todo = [job for job, done in overview.rows if done.state is not State.finished]
            self._launch(todo, look, at_once)
            _conclude(look(), at_once)

    @property
    def folder(self) -> Path:
        """The folder of the sweep."""
        return Path(self.config.hydra.sweep.dir).resolve()

    def _declared(self) -> list[str]:
        return [f"{key}={value}" for key, value in self.params.items()]

    def _parser(self) -> OverridesParser:
        assert self.hydra_context is not None
        return OverridesParser.create(config_loader=self.hydra_context.config_loader)

    def _apart(self, job: Job) -> Job:
        """A job that varies nothing, in a folder of its own where one of other settings has its."""
        from roadex.runs.resume import require_same

        if job.row != SINGLE:
            return job
        try:
            require_same(self.folder / job.folder, self._composed(job))
        except RoadexError:
            return apart(job)
        return job

    def _checked(self, job: Job) -> TrainConfig:
        """The job's settings, complete and in range, and those of the run in its folder, if any."""
        from roadex.runs.resume import require_same

        config = self._composed(job)
        require_same(self.folder / job.folder, config)
        return config

    def _composed(self, job: Job) -> TrainConfig:
        assert self.hydra_context is not None
        loader = self.hydra_context.config_loader
        try:
            composed = loader.load_sweep_config(self.config, self._overrides(job))
            with open_dict(composed):
                del composed["hydra"]
            config: TrainConfig = typed(composed)
        except CONFIG_ERRORS as error:
            raise RoadexError(f"{refusal(error)} ({job.title})") from error
        return config

    def _overrides(self, job: Job) -> list[str]:
        """A job for a launcher: its settings, its folder, and how Weights & Biases shows it."""
        group = self.config.tracking.group or self.config.name
        varied = ",".join(map(quote, job.varied))
        return [
            *job.overrides,
            f"tracking.group={quote(group)}",
            f"tracking.varied=[{varied}]",
            f"hydra.sweep.subdir={quote(job.folder)}",
        ]

    def _launch(self, jobs: list[Job], look: Callable[[], Overview], at_once: int) -> None:
        """Let the launcher start jobs, and report their progress."""
        assert self.launcher is not None
        if not jobs:
            return
        claim(self.folder, revision(), [Path(sys.argv[0]).name, *sys.argv[1:]])
        forget(self.folder, jobs)
        # Jobs in a queue go on without this process.
        queued = _is_queue(self.launcher)
        stopping = nullcontext() if queued else stopped_by_signals(self.folder)
        with Watch(look, at_once, self.folder / "status.json"), stopping:
            self.launcher.launch([self._overrides(job) for job in jobs], initial_job_idx=0)
            close(self.folder, jobs)

    def _at_once(self, jobs: int) -> int:
        """How many trainings run at once with the launcher of this sweep."""
        if _is_queue(self.launcher):
            return min(jobs, int(self.launcher.params["array_parallelism"]))  # type: ignore[union-attr]
        choice = self.config.hydra.runtime.choices["hydra/launcher"]
        return min(jobs, parallel_jobs(self.config.sweep)) if choice == "gpus" else 1


def _conclude(overview: Overview, at_once: int) -> None:
    """Say how the sweep has ended.

    Raises:
        RoadexError: jobs failed, or were interrupted.
    """
    print(f"{overview.table()}\n{overview.summary(at_once)}", flush=True)
    if overview.failures:
        print(overview.failure_table(), flush=True)
    undone = len(overview.rows) - overview.counts[State.finished]
    if undone:
        raise RoadexError(
            f"{len(overview.failures)} of {len(overview.rows)} trainings failed, {undone} are not "
            "finished: the same command continues them"
        )


def _is_queue(launcher: Launcher | None) -> bool:
    """Whether jobs wait in a queue of their own (hydra/launcher=slurm)."""
    return type(launcher).__name__ == "SlurmLauncher"
