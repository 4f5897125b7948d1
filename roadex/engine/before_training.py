"""Trials before a long training: one batch through every stage, and the learning-rate range test.

The range test: L. N. Smith, Cyclical learning rates for training neural networks, WACV 2017,
section 3.3; the loss is averaged over steps exponentially and without bias.
"""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from torch.optim.lr_scheduler import LambdaLR

from roadex.config.train import TrainConfig
from roadex.data.crops import Crop
from roadex.engine.batches import Batches
from roadex.engine.distributed import Group
from roadex.engine.learner import Learner
from roadex.engine.optimization import NotFiniteError
from roadex.engine.signals import StopSignals
from roadex.engine.training import fit, open_training
from roadex.errors import RoadexError
from roadex.files import write_table
from roadex.plots.curves import draw_lr_curve
from roadex.runs.folder import RunFolder

log = logging.getLogger(__name__)
LOWEST, HIGHEST = 1e-7, 1.0
SMOOTHING = 0.95
DIVERGED = 3.0  # times the lowest loss
SAFETY = 10.0


@dataclass
class RangeTest:
    """The losses at growing learning rates.

    Attributes:
        rates: learning rate of each step.
        losses: the smoothed loss before it.
    """

    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    _average: float = 0.0

    def add(self, rate: float, loss: float) -> None:
        """Count a step."""
        self._average = SMOOTHING * self._average + (1 - SMOOTHING) * loss
        self.rates.append(rate)
        self.losses.append(self._average / (1 - SMOOTHING ** len(self.rates)))

    @property
    def diverged(self) -> bool:
        """Whether the loss has clearly risen above its lowest value."""
        return self.losses[-1] > DIVERGED * min(self.losses)

    def suggestion(self) -> float:
        """A tenth of the rate at which the loss was lowest."""
        return self.rates[self.losses.index(min(self.losses))] / SAFETY


def find_lr(run: RunFolder, stop: StopSignals, group: Group) -> float:
    """Train with a rate growing from 1e-7 to 1, or until the loss diverges; returns a suggestion.

    Writes lr_finder.csv and lr_finder.png into the run folder.

    Raises:
        RoadexError: there are several processes, or the first steps fail.
    """
    if group.size > 1:
        raise RoadexError("trainer.find_lr: the range test runs alone; leave out torchrun")
    learner, batches = open_training(run.config, stop, group)
    with closing(batches):
        test = _run(learner, batches, max(2, run.config.trainer.find_lr), stop)
    if not test.rates:
        raise RoadexError(f"not even a learning rate of {LOWEST:g} gives a finite loss")
    rows = [{"lr": r, "loss": v} for r, v in zip(test.rates, test.losses, strict=True)]
    write_table(run.path / "lr_finder.csv", rows)
    suggested, picture = test.suggestion(), run.path / "lr_finder.png"
    draw_lr_curve(test.rates, test.losses, suggested, picture)
    log.info("try optimizer.lr=%.1e: see %s", suggested, picture)
    return suggested


def _run(learner: Learner, batches: Batches, steps: int, stop: StopSignals) -> RangeTest:
    growth = (HIGHEST / LOWEST) ** (1 / (steps - 1))
    base = learner.config.optimizer.lr
    learner.optimizer_step.scheduler = LambdaLR(
        learner.optimizer_step.optimizer, lambda step: LOWEST * growth**step / base
    )
    learner.train(epoch=1)
    test = RangeTest()
    for _, batch in zip(range(steps), _endless(batches), strict=False):
        stop.check()
        rate = learner.lr
        try:
            loss = float(learner.learn(batch)["total"])
        except NotFiniteError:
            break
        if not math.isfinite(loss):
            break
        test.add(rate, loss)
        if test.diverged:
            break
    return test


def _endless(batches: Batches) -> Iterator[Crop]:
    """The batches of one epoch after the other."""
    for epoch in count(1):
        yield from batches.of_epoch(epoch, 0)


def dry_run(config: TrainConfig, stop: StopSignals, group: Group | None = None) -> None:
    """Learn one batch, save, validate one tile, test one, draw it; nothing of it is kept.

    Raises:
        RoadexError: whatever the training itself would refuse.
    """
    with tempfile.TemporaryDirectory(prefix="roadex-dry-run-") as folder:
        run = RunFolder(Path(folder), shortest(config), writes=group is None or group.leads)
        fit(run.config, run, stop, group or Group())
    log.info("dry run: one batch went through every stage; nothing of it is kept")


def shortest(config: TrainConfig) -> TrainConfig:
    """The same training with one batch and without a tracker."""
    trainer = replace(
        config.trainer, epochs=1, overfit_batches=1, save_steps=1, validate_every=1, overlays=1
    )
    return replace(config, trainer=trainer, tracking=replace(config.tracking, mode="disabled"))
