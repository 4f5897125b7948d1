"""Optimisers and learning-rate schedules by name, and the step from a loss to the next weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn, optim

from roadex.config.optimizer import AdamConfig, AdamWConfig, OptimizerConfig, SgdConfig
from roadex.config.scheduler import CosineConfig, SchedulerConfig, StepConfig
from roadex.config.train import TrainConfig
from roadex.config.trainer import Precision
from roadex.errors import RoadexError
from roadex.models.encoders import encoder_of, layer_numbers

# A scale of fp16 gradients that is reached only if every step overflows.
_HOPELESS_SCALE = 2.0**-10
_CHECK_EVERY = 20  # waiting for a GPU at every step would leave it idle

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

    Weight decay excludes norms and biases, unless `decay_norms` is set.
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


class NotFiniteError(RoadexError):
    """A loss or gradient is NaN or infinite; the weights are those before that step.

    Attributes:
        step: optimiser steps taken before it.
    """

    def __init__(self, step: int) -> None:
        super().__init__(
            f"the loss or its gradient is not finite at step {step}: lower optimizer.lr or set "
            "trainer.clip_norm=1 (the weights and checkpoints are those before it)"
        )
        self.step = step


class Guard:
    """Notices values that are not finite without waiting for the device.

    Attributes:
        bad: 1 from the first such value on, on the device; else 0.
        passed: steps before it.
    """

    def __init__(self, device: torch.device, step: int = 0) -> None:
        self.bad = torch.zeros((), device=device)
        self.passed = torch.full((), step, dtype=torch.int64, device=device)

    def see(self, *values: Tensor) -> None:
        """Look at the values of one step."""
        for value in values:
            self.bad = torch.maximum(self.bad, (~value.detach().isfinite()).float())
        self.passed += self.bad.eq(0)

    def check(self) -> None:
        """Wait for the device, and raise NotFiniteError where a value was not finite."""
        if self.bad.item():
            raise NotFiniteError(int(self.passed.item()))


@dataclass
class OptimizerStep:
    """The optimiser with gradient scaling, the guard and clipping before it.

    After a loss or gradient that is not finite, no step changes a weight any more; on a GPU
    further steps may be computed until `check_every` is over and the error is raised.

    Attributes:
        clip_norm: the largest norm of the gradient; 0 for any.
        check_every: steps between two waits for the device.
    """

    optimizer: optim.Optimizer
    scheduler: optim.lr_scheduler.LambdaLR
    scaler: torch.amp.GradScaler
    guard: Guard
    clip_norm: float
    check_every: int
    step: int = 0

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of a part of the step's loss; NaN after a bad one."""
        poison = torch.where(self.guard.bad > 0, torch.nan, 1.0)
        self.scaler.scale(loss * poison).backward()

    def take(self, parameters: Iterable[nn.Parameter], loss: Tensor) -> None:
        """One step along the gradients; `loss` is that of the whole step.

        Raises:
            NotFiniteError: now, or in one of the last `check_every` steps.
        """
        self.scaler.unscale_(self.optimizer)
        norm = self._clip([p for p in parameters if p.grad is not None])
        if self.scaler.is_enabled():
            self.guard.see(loss)  # an infinite gradient only lowers the scale
        else:
            self.guard.see(loss, norm)
            # What the scaler sets, too: a fused optimiser skips its update where it is 1.
            self.optimizer.found_inf = self.guard.bad  # type: ignore[attr-defined]
        if self.step % self.check_every == 0:
            self.check()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.scheduler.step()
        self.step += 1
        self.optimizer.zero_grad(set_to_none=True)

    def _clip(self, parameters: list[nn.Parameter]) -> Tensor:
        """The length of the whole gradient, before it is clipped."""
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if self.clip_norm:
            nn.utils.clip_grads_with_norm_(parameters, self.clip_norm, norm)
        return norm

    def check(self) -> None:
        """Wait for the device, and raise an error if the training cannot continue.

        Raises:
            NotFiniteError: a loss or gradient was not finite.
            RoadexError: no scale keeps fp16 gradients finite.
        """
        self.guard.check()
        if self.scaler.is_enabled() and self.scaler.get_scale() < _HOPELESS_SCALE:
            raise RoadexError("gradients overflow fp16 at any scale: set trainer.precision=bf16")

    def state(self) -> dict[str, Any]:
        """Everything that changes in a training."""
        return {
            "step": self.step,
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state."""
        self.step = state["step"]
        self.guard = Guard(self.guard.bad.device, self.step)
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self.scaler.load_state_dict(state["scaler"])


def build_optimizer_step(
    model: nn.Module, config: TrainConfig, device: torch.device, epoch_steps: int
) -> OptimizerStep:
    """The optimiser step of a new training."""
    optimizer = build_optimizer(model, config.optimizer)
    scheduler = build_scheduler(optimizer, config.scheduler, epoch_steps, config.trainer.epochs)
    scaling = config.trainer.precision is Precision.fp16
    return OptimizerStep(
        optimizer,
        scheduler,
        torch.amp.GradScaler(device.type, enabled=scaling),
        Guard(device),
        config.trainer.clip_norm,
        check_every=1 if device.type == "cpu" else _CHECK_EVERY,
    )
