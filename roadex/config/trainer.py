"""Schema of the group `trainer`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from roadex.config.inference import InferenceConfig
from roadex.config.limits import bounded, choice
from roadex.errors import RoadexError


class Precision(Enum):
    """Number format of the forward and backward pass; fp16 scales its gradients.

    `auto` is bf16 where the device computes in it, fp16 on older GPUs, else fp32.
    """

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


@dataclass
class TrainerConfig:
    """The training loop."""

    # auto takes a GPU when there is one.
    device: str = choice("auto", "auto", "cpu", "cuda", "mps")
    precision: Precision = Precision.fp32
    # Convolutions on a CPU, and on most GPUs, are faster with it (experiments/training_speed).
    channels_last: bool = False
    # Compile the training step's model (minutes, once). On a CPU it is slower than without.
    compile: bool = False
    # Compute the hourglasses again in the backward pass instead of keeping their activations.
    activation_checkpointing: bool = False
    epochs: int = bounded(100, least=1)
    # Images of one optimiser step, over all processes.
    batch_size: int = bounded(8, least=1)
    # Micro-batches in which a process computes its part of a batch, to need less memory: the step
    # stays that of the whole batch, except that batch norms see one micro-batch at a time.
    accumulate: int = bounded(1, least=1)
    # Epochs without a better validation score before the training ends; 0 never ends it early.
    patience: int = bounded(10, least=0)
    # The validation score that decides which checkpoint is the best.
    monitor: str = choice("f1", "f1", "iou", "apls")
    # With several datasets, whose validation tiles choose the threshold: all, main, or one by name.
    threshold_from: str = "all"
    # Epochs from one validation to the next; the last epoch is validated, too.
    validate_every: int = bounded(1, least=1)
    clip_norm: float = bounded(0.0, least=0)
    # Processes that load crops; -1 takes one per spare core.
    num_workers: int = bounded(-1, least=-1)
    # Processes that decode and score validation graphs while the training goes on; 0 waits for
    # them, -1 takes some beside a GPU and none beside a CPU, whose cores they would compete for.
    scorers: int = bounded(-1, least=-1)
    # Exponential moving average of the weights, used for validation and kept; 0 turns it off.
    ema: float = bounded(0.0, least=0, most=0.99999)
    # Train the head that classifies pairs of vertices, and leave the rest as `init` has it.
    only_pairs: bool = False
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    # Tiles drawn in RUN/overlays.
    overlays: int = bounded(6, least=0)
    # Optimiser steps between snapshots, besides one each epoch; 0: only those of the epochs.
    save_steps: int = bounded(500, least=0)
    # How many snapshots are kept.
    keep: int = bounded(2, least=1)
    # Keep the newest of them when the run is finished: resume=RUN trainer.epochs=MORE can continue.
    extendable: bool = False
    # For debugging: train on this number of batches again and again; 0 is off.
    overfit_batches: int = bounded(0, least=0)
    # Run one batch through every stage to see that it works; nothing is kept.
    dry_run: bool = False
    # Instead of training, try ever higher learning rates over this number of steps; 0 trains.
    find_lr: int = bounded(0, least=0)

    def __post_init__(self) -> None:
        if self.compile and self.activation_checkpointing:
            raise RoadexError(
                "trainer.compile and trainer.activation_checkpointing: choose one of them"
            )
        if self.accumulate > self.batch_size:
            raise RoadexError(
                f"trainer.accumulate={self.accumulate}: a batch of trainer.batch_size="
                f"{self.batch_size} is too small for that many micro-batches"
            )
