"""The model with everything that changes in training, and one training step."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from timm.utils import ModelEmaV3
from torch import Tensor, nn

from roadex.config.backbone import ALWAYS, TimmBackboneConfig
from roadex.config.train import TrainConfig
from roadex.config.trainer import Precision
from roadex.data.crops import Crop
from roadex.data.prepared import PreparedDataset
from roadex.engine.acceleration import (
    compiled,
    depthwise_in_float32,
    in_parallel,
    recompute_hourglasses,
    without_exchange,
)
from roadex.engine.batches import explain_batch_norm
from roadex.engine.device import autocast, place
from roadex.engine.distributed import Group, synchronize
from roadex.engine.inference import Predictor, normalize
from roadex.engine.optimization import OptimizerStep, build_optimizer_step
from roadex.errors import RoadexError
from roadex.losses.multitask import WholeBatch, attribute_labels, count_batch, multitask_loss
from roadex.losses.pairs import pair_loss
from roadex.models.encoders import FrozenEncoder, encoder_of, refit
from roadex.models.pair_head import PAIR_PARTS
from roadex.models.registry import build_model
from roadex.models.sam_road import Head, TopologyHead, head_of
from roadex.runs.checkpoint import Checkpoint, load_weights
from roadex.runs.load import load_trainable

log = logging.getLogger(__name__)
Losses = dict[str, Tensor]


@dataclass
class Learner:
    """A training in progress.

    Attributes:
        group: the processes that train together, each on its part of every batch.
        model: the weights.
        train_model: the same model as the step calls it, perhaps compiled and parallel.
        encoder: the timm encoder, which may be frozen for some epochs; None without one.
        average: moving average of the weights, used for validation; None where it is off.
    """

    config: TrainConfig
    dataset: PreparedDataset
    device: torch.device
    group: Group
    model: nn.Module
    train_model: nn.Module
    optimizer_step: OptimizerStep
    average: ModelEmaV3 | None
    encoder: FrozenEncoder | None = None

    @property
    def step(self) -> int:
        """Optimiser steps taken."""
        return self.optimizer_step.step

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer_step.optimizer.param_groups[0]["lr"])

    @property
    def eval_model(self) -> nn.Module:
        """The model that is validated and kept."""
        return self.model if self.average is None else self.average.module

    def train(self, epoch: int) -> None:
        """Put the model into training mode for an epoch, counted from 1.

        Frozen parts keep their batch statistics, too.
        """
        self.model.train()
        if self.config.trainer.only_pairs:
            for name, part in self.model.named_children():
                part.train(name in PAIR_PARTS)
        backbone = self.config.backbone
        if self.encoder is not None and isinstance(backbone, TimmBackboneConfig):
            if backbone.is_frozen(epoch):
                self.encoder.freeze()
            elif backbone.freeze != "0" and not self.config.trainer.only_pairs:
                self.encoder.release()

    def predictor(self) -> Predictor:
        """The eval model, ready for whole tiles."""
        trainer = self.config.trainer
        mean, std = self.dataset.mean, self.dataset.std
        settings, precision = trainer.inference, trainer.precision
        return Predictor(self.eval_model, self.device, mean, std, settings, precision)

    def learn(self, batch: Crop) -> Losses:
        """One optimiser step on this process's part of a batch.

        Returns:
            The loss and its terms, still on the device: the processes' losses add up to that of
            the whole batch.

        Raises:
            NotFiniteError: a loss or gradient is not finite; it has changed no weight.
        """
        on_device = {k: v.to(self.device, non_blocking=True) for k, v in batch.items()}
        micro_batches = _micro_batches(on_device, self.config.trainer.accumulate)
        whole: WholeBatch | None = None
        losses: Losses = {}
        for index, micro_batch in enumerate(micro_batches):
            last = index == len(micro_batches) - 1
            with nullcontext() if last else without_exchange(self.train_model):
                logits = self._forward(micro_batch["image"])
                if whole is None and (len(micro_batches) > 1 or self.group.size > 1):
                    whole = self._whole(logits, on_device)
                loss, terms = multitask_loss(
                    logits,
                    micro_batch["mask"],
                    micro_batch["connectivity"],
                    self.config.loss,
                    whole,
                    micro_batch.get("orientation"),
                    attribute_labels(micro_batch),
                )
                if self.config.model.paths:
                    loss, terms = self._with_pairs(loss, terms, logits, micro_batch, on_device)
                # The processes' gradients are averaged, but their losses add up.
                self.optimizer_step.backward(loss * self.group.size)
            for name, value in {"total": loss, **terms}.items():
                losses[name] = losses.get(name, 0.0) + value.detach()
        self._share_head()
        self.optimizer_step.take(self.model.parameters(), losses["total"])
        if self.average is not None:
            self.average.update(self.model, step=self.step)
        return losses

    def _with_pairs(
        self,
        loss: Tensor,
        terms: Losses,
        logits: dict[str, list[Tensor]],
        micro_batch: Crop,
        batch: Crop,
    ) -> tuple[Tensor, Losses]:
        """The loss with that of the pairs of vertices, a mean over the crops of the whole batch."""
        head = head_of(self.model)
        assert head is not None
        names = ("roads", "mask", "connectivity")
        roads, mask, connectivity = (micro_batch[name] for name in names)
        count = len(mask)
        asked = self._asked(head, count)
        if len(asked) < count:
            logits = {task: [each[asked] for each in maps] for task, maps in logits.items()}
            roads, mask, connectivity = roads[asked], mask[asked], connectivity[asked]
        gsd = self.config.dataset.gsd
        losses = pair_loss(head, logits, roads, mask, gsd, connectivity)
        pairs = losses.sum() * (count / len(asked)) / (len(batch["mask"]) * self.group.size)
        return loss + self.config.loss.pairs * pairs, {**terms, "pairs": pairs}

    def _asked(self, head: Head, count: int) -> list[int]:
        """The crops of a micro-batch whose pairs are classified in this step, each in its turn."""
        if self.config.trainer.only_pairs or isinstance(head, TopologyHead):
            return list(range(count))
        asked = max(1, round(self.config.loss.pair_share * count))
        return sorted((self.step * asked + index) % count for index in range(asked))

    def _share_head(self) -> None:
        """Average the gradients of the pair head, which the parallel model does not call itself."""
        head = getattr(self.model, "pair_head", None)
        if head is not None and self.group.size > 1:
            for parameter in head.parameters():
                if parameter.grad is not None:
                    self.group.add(parameter.grad).div_(self.group.size)

    def _forward(self, pixels: Tensor) -> dict[str, list[Tensor]]:
        image = normalize(pixels, self.dataset.mean, self.dataset.std)
        if self.config.trainer.channels_last:
            image = image.contiguous(memory_format=torch.channels_last)
        with autocast(self.device, self.config.trainer.precision), explain_batch_norm():
            logits: dict[str, list[Tensor]] = self.train_model(image)
        return logits

    def _whole(self, logits: dict[str, list[Tensor]], batch: Crop) -> WholeBatch:
        """The counts of the batch over all micro-batches and processes, in one exchange."""
        labels = (batch["mask"], batch["connectivity"], batch.get("orientation"))
        own = count_batch(logits, *labels, attribute_labels(batch))
        sums = self.group.add(torch.cat([own.samples.view(1), *own.counts.values()]))
        samples, *counts = sums.split([1, *(len(c) for c in own.counts.values())])
        return WholeBatch(samples[0], dict(zip(own.counts, counts, strict=True)))

    def checkpoint(self, threshold: float, epoch: int, scores: dict[str, float]) -> Checkpoint:
        """The eval model and how to use it; raises as `learn` if a step was bad."""
        self.optimizer_step.check()
        mean, std = self.dataset.mean, self.dataset.std
        weights = self.eval_model.state_dict()
        contrast = self.dataset.contrast()
        return Checkpoint(weights, self.config, threshold, mean, std, epoch, scores, contrast)

    def state(self) -> dict[str, Any]:
        """Everything that a step changes, except random generators, for `restore`."""
        self.optimizer_step.check()
        return {
            "model": self.model.state_dict(),
            "average": None if self.average is None else self.average.module.state_dict(),
            **self.optimizer_step.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state of the same configuration exactly."""
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.module.load_state_dict(state["average"])
        self.optimizer_step.restore(state)


def _micro_batches(batch: Crop, count: int) -> list[Crop]:
    """The batch in `count` micro-batches, of nearly the same size."""
    parts = {key: value.tensor_split(min(count, len(value))) for key, value in batch.items()}
    return [
        dict(zip(parts, micro_batch, strict=True))
        for micro_batch in zip(*parts.values(), strict=True)
    ]


def load_initial(model: nn.Module, init: str) -> str:
    """The weights of `init`; where it classifies no pairs, those of the head stay fresh.

    It may have been adapted by changes of low rank, or the model may, or both.

    Returns:
        What was done about these changes, for the user; empty: nothing.

    Raises:
        RoadexError: no such checkpoint, or one of another architecture.
    """
    weights, done = refit(load_trainable(init, "init").weights, model.state_dict())
    load_weights(model, weights, f"init={init}", fresh=PAIR_PARTS)
    return f"init={init}: {done}" if done else ""


def _encoder(model: nn.Module, config: TrainConfig, group: Group) -> FrozenEncoder | None:
    """The timm encoder of a model; one that never learns is frozen at once.

    Raises:
        RoadexError: it is frozen in some epochs only, and several processes train together.
    """
    found, backbone = encoder_of(model), config.backbone
    if found is None or not isinstance(backbone, TimmBackboneConfig):
        return None
    encoder = FrozenEncoder(found[1])
    if backbone.freeze == ALWAYS:
        encoder.freeze()
    elif backbone.freeze != "0" and group.size > 1:
        raise RoadexError(
            f"backbone.freeze={backbone.freeze}: several processes can freeze an encoder for all "
            f"epochs only: set backbone.freeze={ALWAYS}"
        )
    return encoder


def build_learner(
    config: TrainConfig,
    dataset: PreparedDataset,
    device: torch.device,
    epoch_steps: int,
    group: Group | None = None,
) -> Learner:
    """A new training, from random or pretrained weights or from those of `init`."""
    trainer, group = config.trainer, group or Group()
    model = build_model(config.model, config.backbone)
    if config.init is not None and (done := load_initial(model, config.init)):
        log.info("%s", done)
    if trainer.only_pairs:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.split(".")[0] in PAIR_PARTS)
    if trainer.activation_checkpointing:
        recompute_hourglasses(model)
    if device.type == "cpu" and trainer.precision is Precision.bf16:
        depthwise_in_float32(model)
    if group.size > 1:
        model = synchronize(model, device)
    model = place(model, device, trainer.channels_last)
    encoder = _encoder(model, config, group)
    average = ModelEmaV3(model, decay=trainer.ema, use_warmup=True) if trainer.ema else None
    optimizer_step = build_optimizer_step(model, config, device, epoch_steps)
    train_model = compiled(model, device) if trainer.compile else model
    train_model = in_parallel(train_model, group, device)
    return Learner(
        config, dataset, device, group, model, train_model, optimizer_step, average, encoder
    )
