"""What roadex adds to Hydra, in the package where Hydra looks for plugins.

Every program that uses Hydra imports this module, so roadex itself is imported by what a training
instantiates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class ResumableSweeper(Sweeper):
    """See `roadex.sweep.sweeper.ResumableSweep`; chosen by `hydra/sweeper=resumable`."""

    def __init__(self, params: DictConfig | None = None) -> None:
        from roadex.sweep.sweeper import ResumableSweep

        self.plugin = ResumableSweep(params)

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra has made of the command line."""
        self.plugin.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def sweep(self, arguments: list[str]) -> None:
        """Run what is not finished."""
        self.plugin.sweep(arguments)


class SlurmLauncher(Launcher):
    """See `roadex.sweep.slurm.JobArray`; chosen by `hydra/launcher=slurm`."""

    def __init__(self, **params: Any) -> None:
        from roadex.sweep.slurm import JobArray

        self.plugin = JobArray(**params)
        self.params = self.plugin.params

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra has made of the command line."""
        self.plugin.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Submit the jobs, and wait until each has ended."""
        return self.plugin.launch(job_overrides, initial_job_idx)


def register() -> None:
    """Tell Hydra of them: its search does not see into an editable installation."""
    for plugin in (ResumableSweeper, SlurmLauncher):
        Plugins.instance().register(plugin)
