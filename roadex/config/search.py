"""Schema of the command `python -m roadex.search`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from roadex.config.limits import bounded, choice
from roadex.config.sweep import SweepConfig
from roadex.errors import RoadexError


@dataclass
class Dimension:
    """The values that a setting may take: some `choices`, or all from `low` to `high`."""

    choices: list[Any] | None = None
    low: float | None = None
    high: float | None = None
    # Whether values are drawn on a logarithmic scale, and whether only whole numbers are.
    log: bool = False
    whole: bool = False

    def check(self, key: str) -> None:
        """Raise a RoadexError that names `key` unless the values are given in one of two ways."""
        if self.choices:
            if self.low is not None or self.high is not None:
                raise RoadexError(f"space: {key} has choices and a range: give one of them")
            return
        if self.low is None or self.high is None or self.low >= self.high:
            raise RoadexError(f"space: {key} needs choices, or low and a greater high")
        if self.log and self.low <= 0:
            raise RoadexError(f"space: {key} with log=true needs low above 0, not {self.low}")


@dataclass
class SearchConfig:
    """Which settings are tried, how many times, and what the trainings have in common."""

    name: str = "search"
    # Overrides of every training; on the command line simply after --.
    train: list[str] = field(default_factory=list)
    # By setting: the values it may take (conf/space).
    space: dict[str, Dimension] = field(default_factory=dict)
    # The same for further settings: on the command line space.KEY=A,B or space.KEY={low:A,high:B}.
    vary: dict[str, Dimension] = field(default_factory=dict)
    # Trainings that end or are pruned, those of earlier calls included.
    trials: int = bounded(30, least=1)
    sampler: str = choice("tpe", "tpe", "random")
    seed: int = bounded(0, least=0)
    # End a training whose validation score is below the median of the others at that epoch.
    prune: bool = True
    # Epochs before which no training is ended early, and trials that must be complete first.
    prune_after_epochs: int = bounded(1, least=0)
    prune_after_trials: int = bounded(5, least=1)
    # Where trainings run: sweep.per_gpu on each GPU, else sweep.cpu_jobs.
    sweep: SweepConfig = field(default_factory=SweepConfig)
