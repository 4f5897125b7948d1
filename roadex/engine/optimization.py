"""Optimisers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from timm.optim import param_groups_weight_decay
from torch import nn, optim

from roadex.config.optimizer import AdamConfig, AdamWConfig, OptimizerConfig, SgdConfig
from roadex.config.scheduler import CosineConfig, SchedulerConfig, StepConfig

Factor = Callable[[int], float]
Groups = list[dict[str, Any]]


def _adam(groups: Groups, config: AdamConfig) -> optim.Optimizer:
    betas = (config.beta1, config.beta2)
    return optim.Adam(
        groups, config.lr, betas, config.eps, config.weight_decay, config.amsgrad, fused=True
    )


def _adamw(groups: Groups, config: AdamWConfig) -> optim.Optimizer:
    betas = (config.beta1, config.beta2)
    return optim.AdamW(groups, config.lr, betas, config.eps, config.weight_decay, fused=True)


def _sgd(groups: Groups, config: SgdConfig) -> optim.Optimizer:
    return optim.SGD(
        groups, config.lr, config.momentum, weight_decay=config.weight_decay, fused=True
    )


OPTIMIZERS: dict[str, Callable[[Groups, Any], optim.Optimizer]] = {
    "adam": _adam,
    "adamw": _adamw,
    "sgd": _sgd,
}


def build_optimizer(model: nn.Module, config: OptimizerConfig) -> optim.Optimizer:
    """The optimiser of `optimizer=` over all parameters, one kernel for all of them.

    Weight decay leaves out norms and biases, unless `decay_norms` says otherwise.
    """
    decay = config.weight_decay
    excluding = not config.decay_norms
    groups = param_groups_weight_decay(model, decay, weight_decay_exclude_1d=excluding)
    return OPTIMIZERS[config.kind](groups, config)


def _constant(config: SchedulerConfig, epoch_steps: int, epochs: int) -> Factor:
    return lambda step: 1.0


def _step(config: StepConfig, epoch_steps: int, epochs: int) -> Factor:
    return lambda step: config.factor ** (step // (config.epochs * epoch_steps))


def _cosine(config: CosineConfig, epoch_steps: int, epochs: int) -> Factor:
    total = epoch_steps * epochs
    warmup = round(config.warmup * total)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        progress = min(1.0, (step - warmup) / max(1, total - warmup))
        return config.floor + (1 - config.floor) * (1 + math.cos(math.pi * progress)) / 2

    return factor


SCHEDULES: dict[str, Callable[[Any, int, int], Factor]] = {
    "constant": _constant,
    "step": _step,
    "cosine": _cosine,
}


def build_scheduler(
    optimizer: optim.Optimizer, config: SchedulerConfig, epoch_steps: int, epochs: int
) -> optim.lr_scheduler.LambdaLR:
    """The schedule of `scheduler=`, stepped after every optimiser step."""
    factor = SCHEDULES[config.kind](config, epoch_steps, epochs)
    return optim.lr_scheduler.LambdaLR(optimizer, factor)
