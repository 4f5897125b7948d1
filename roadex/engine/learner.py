"""The network with all that changes as it learns, and one step of learning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from timm.utils import ModelEmaV3
from torch import Tensor, nn, optim

from roadex.config.root import TrainConfig
from roadex.data.crops import Crop
from roadex.data.prepared import PreparedDataset
from roadex.engine.checkpoint import Checkpoint, load_checkpoint, load_weights
from roadex.engine.device import autocast, place
from roadex.engine.inference import Predictor, normalize
from roadex.engine.optimization import build_optimizer, build_scheduler
from roadex.errors import RoadexError
from roadex.losses.multitask import multitask_loss
from roadex.models.registry import build_model


@dataclass
class Learner:
    """A training in progress.

    Attributes:
        average: moving average of the weights, used for validation; None where it is off.
        step: optimiser steps taken.
    """

    config: TrainConfig
    dataset: PreparedDataset
    device: torch.device
    model: nn.Module
    optimizer: optim.Optimizer
    scheduler: optim.lr_scheduler.LambdaLR
    average: ModelEmaV3 | None
    step: int = 0

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def judged(self) -> nn.Module:
        """The network that is validated and kept."""
        return self.model if self.average is None else self.average.module

    def predictor(self) -> Predictor:
        """The judged network, ready for whole tiles."""
        trainer = self.config.trainer
        mean, std = self.dataset.mean, self.dataset.std
        settings, precision = trainer.inference, trainer.precision
        return Predictor(self.judged, self.device, mean, std, settings, precision)

    def learn(self, batch: Crop) -> dict[str, float]:
        """One optimiser step on a batch; the loss and its terms.

        Raises:
            RoadexError: the loss is not finite; the weights are as they were.
        """
        trainer = self.config.trainer
        on_device = {k: v.to(self.device, non_blocking=True) for k, v in batch.items()}
        image = normalize(on_device["image"], self.dataset.mean, self.dataset.std)
        if trainer.channels_last:
            image = image.contiguous(memory_format=torch.channels_last)
        with autocast(self.device, trainer.precision):
            logits = self.model(image)
        loss, terms = multitask_loss(
            logits, on_device["mask"], on_device["connectivity"], self.config.loss
        )
        value = loss.item()
        if not math.isfinite(value):
            raise RoadexError(
                f"the loss is {value} at step {self.step}: lower optimizer.lr or set "
                "trainer.clip_norm=1 (checkpoints up to the last epoch are kept)"
            )
        self._descend(loss)
        return {"total": value, **{name: term.item() for name, term in terms.items()}}

    def _descend(self, loss: Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.trainer.clip_norm:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.trainer.clip_norm)
        self.optimizer.step()
        self.scheduler.step()
        self.step += 1
        if self.average is not None:
            self.average.update(self.model, step=self.step)

    def checkpoint(self, threshold: float, epoch: int, scores: dict[str, float]) -> Checkpoint:
        """The judged weights and how to use them."""
        mean, std = self.dataset.mean, self.dataset.std
        weights = self.judged.state_dict()
        contrast = self.dataset.contrast()
        return Checkpoint(weights, self.config, threshold, mean, std, epoch, scores, contrast)

    def state(self) -> dict[str, Any]:
        """What besides the judged weights a training needs to go on."""
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "random": torch.get_rng_state(),
        }


def build_learner(
    config: TrainConfig, dataset: PreparedDataset, device: torch.device, epoch_steps: int
) -> Learner:
    """A fresh training, from random or pretrained weights or from those of `init`."""
    trainer = config.trainer
    model = build_model(config.model, config.backbone)
    if config.init is not None:
        load_weights(model, load_checkpoint(config.init).weights, f"init={config.init}")
    model = place(model, device, trainer.channels_last)
    optimizer = build_optimizer(model, config.optimizer)
    scheduler = build_scheduler(optimizer, config.scheduler, epoch_steps, trainer.epochs)
    average = ModelEmaV3(model, decay=trainer.ema, use_warmup=True) if trainer.ema else None
    return Learner(config, dataset, device, model, optimizer, scheduler, average)
