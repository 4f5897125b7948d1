"""How far a training is, with the sums of its losses."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from roadex.engine.distributed import Group


@dataclass
class LossSums:
    """The losses of some steps added up, over all processes of a group.

    The sums do not depend on when they are read.

    Attributes:
        steps: steps added and read.
        totals: their sums by name.
    """

    group: Group = field(default_factory=Group)
    steps: int = 0
    totals: dict[str, float] = field(default_factory=dict)
    _waiting: list[Tensor] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """Steps added."""
        return self.steps + len(self._waiting)

    def add(self, losses: dict[str, Tensor]) -> None:
        """Add the losses of a step, which are not read yet."""
        self._names = list(losses)
        self._waiting.append(torch.stack(list(losses.values())))

    def read(self) -> dict[str, float]:
        """The sums by name; all processes of the group read after the same step."""
        if self._waiting:
            for row in self.group.add(torch.stack(self._waiting)).tolist():
                for name, value in zip(self._names, row, strict=True):
                    self.totals[name] = self.totals.get(name, 0.0) + value
        self.steps += len(self._waiting)
        self._waiting = []
        return self.totals

    def means(self) -> dict[str, float]:
        """The sums over the steps."""
        return {name: total / self.steps for name, total in self.read().items()}


PLAIN = ("epoch", "lr", "learning_s", "total_s", "rows", "unscored")


@dataclass
class Best:
    """The best validation so far, and its epoch."""

    score: float = -math.inf
    epoch: int = 0
    threshold: float = 0.5


@dataclass
class Progress:
    """The state of the loop itself; the rest is the learner's.

    Attributes:
        epoch: the epoch in progress, from 1.
        lr: learning rate at its start.
        losses: summed over its batches so far.
        learning_s: wall-clock seconds of those batches.
        total_s: wall-clock seconds of the training before this process.
        rows: history.csv, a row for each epoch that is over.
        unscored: whether the last row still waits for its validation scores.
    """

    epoch: int = 1
    lr: float = 0.0
    losses: LossSums = field(default_factory=LossSums)
    learning_s: float = 0.0
    total_s: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)
    unscored: bool = False
    best: Best = field(default_factory=Best)

    @property
    def batch(self) -> int:
        """Batches of the epoch learned so far."""
        return len(self.losses)

    def close_epoch(self, row: dict[str, float]) -> None:
        """Keep the epoch's row and begin the next epoch."""
        self.rows.append(row)
        self.epoch += 1
        self.losses = LossSums(self.losses.group)
        self.learning_s = 0.0

    def state(self) -> dict[str, Any]:
        """Plain values, for a checkpoint."""
        plain = {key: getattr(self, key) for key in PLAIN}
        totals = self.losses.read()
        losses = {"steps": self.losses.steps, "totals": totals}
        return {**plain, "losses": losses, "best": asdict(self.best)}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a `state`."""
        for key in PLAIN:
            setattr(self, key, state[key])
        self.losses = LossSums(self.losses.group, **state["losses"])
        self.best = Best(**state["best"])
