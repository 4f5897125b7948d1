"""Sums of the losses of an epoch's steps, which wait for the device as rarely as one likes."""

from __future__ import annotations

from dataclasses import dataclass, field

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
