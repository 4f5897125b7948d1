"""Schemas of the group `scheduler`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from roadex.config.limits import bounded


@dataclass
class SchedulerConfig:
    """Base of the learning-rate schedules, which all count optimiser steps."""

    kind: str = MISSING


@dataclass
class ConstantConfig(SchedulerConfig):
    """A constant learning rate."""

    kind: str = "constant"


@dataclass
class StepConfig(SchedulerConfig):
    """The learning rate times `factor` after every `epochs` epochs (published: 50 and 0.1)."""

    kind: str = "step"
    epochs: int = bounded(50, least=1)
    factor: float = bounded(0.1, above=0, most=1)


@dataclass
class CosineConfig(SchedulerConfig):
    """A linear warm-up over a share of the training, then a half cosine down to `floor` x lr."""

    kind: str = "cosine"
    warmup: float = bounded(0.05, least=0, most=1)
    floor: float = bounded(0.01, least=0, most=1)
