"""Optimisers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from torch import nn, optim

from roadex.config.optimizer import AdamConfig, AdamWConfig, OptimizerConfig, SgdConfig
from roadex.config.scheduler import CosineConfig, SchedulerConfig, StepConfig
from roadex.models.encoders import encoder_of, layer_numbers

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
    rates = encoder_rates(model, config)
    groups: dict[tuple[float, float], dict[str, Any]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        spared = parameter.ndim <= 1 and not config.decay_norms
        decay, rate = 0.0 if spared else config.weight_decay, rates.get(name, 1.0)
        group = {"params": [], "weight_decay": decay, "lr": config.lr * rate}
        groups.setdefault((decay, rate), group)["params"].append(parameter)
    return OPTIMIZERS[config.kind](list(groups.values()), config)


def encoder_rates(model: nn.Module, config: OptimizerConfig) -> dict[str, float]:
    """The factor of the learning rate of each parameter of the model's timm encoder, by name."""
    found = encoder_of(model)
    if found is None:
        return {}
    prefix, encoder = found
    layers = layer_numbers(encoder)
    last = max(layers.values(), default=0)
    return {
        f"{prefix}.{name}": config.encoder_lr * config.layer_decay ** (last - layer)
        for name, layer in layers.items()
    }


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
