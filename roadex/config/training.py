"""Schemas of the groups `loss`, `optimizer`, `scheduler`, `augment`, `trainer` and `tracking`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from roadex.config.limits import bounded, choice
from roadex.errors import RoadexError


@dataclass
class LossConfig:
    """Weights of the loss terms; the published loss has every weight 1 and no cross entropy."""

    segmentation: float = bounded(1.0, least=0)
    connectivity: float = bounded(1.0, least=0)
    orientation: float = bounded(1.0, least=0)
    # Weight of the full-resolution term, and of each term of lower resolution.
    full: float = bounded(1.0, least=0)
    intermediate: float = bounded(1.0, least=0)
    # The two parts of the segmentation term.
    soft_iou: float = bounded(1.0, least=0)
    cross_entropy: float = bounded(0.0, least=0)
    # Soft clDice of the full-resolution road, with so many openings.
    cldice: float = bounded(0.0, least=0)
    cldice_openings: int = bounded(5, least=1, most=50)
    # Cross entropy of the road at dead ends and junctions, on top of all else.
    nodes: float = bounded(0.0, least=0)


@dataclass
class OptimizerConfig:
    """Base of the optimisers; `kind` is the key in roadex/engine/optimization.py."""

    kind: str = MISSING
    lr: float = bounded(1e-3, above=0)
    weight_decay: float = bounded(0.0, least=0)
    # Whether the weight decay acts on the norms and biases too.
    decay_norms: bool = False


@dataclass
class AdamConfig(OptimizerConfig):
    """Adam; the defaults are the published setting."""

    kind: str = "adam"
    beta1: float = bounded(0.9, least=0, most=1)
    beta2: float = bounded(0.999, least=0, most=1)
    eps: float = bounded(1e-3, above=0)
    amsgrad: bool = True


@dataclass
class AdamWConfig(OptimizerConfig):
    """AdamW with decoupled weight decay."""

    kind: str = "adamw"
    weight_decay: float = bounded(0.01, least=0)
    beta1: float = bounded(0.9, least=0, most=1)
    beta2: float = bounded(0.999, least=0, most=1)
    eps: float = bounded(1e-8, above=0)


@dataclass
class SgdConfig(OptimizerConfig):
    """Stochastic gradient descent with momentum."""

    kind: str = "sgd"
    lr: float = bounded(1e-2, above=0)
    weight_decay: float = bounded(5e-4, least=0)
    momentum: float = bounded(0.9, least=0, most=1)


@dataclass
class SchedulerConfig:
    """Base of the learning-rate schedules, which all count optimiser steps."""

    kind: str = MISSING


@dataclass
class ConstantConfig(SchedulerConfig):
    """The learning rate stays what it is."""

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


@dataclass
class AugmentConfig:
    """Random changes of a training crop. The jitters are half-ranges in OpenCV's 8-bit HSV."""

    # A crop is magnified by a factor between these, and turned by up to so many degrees.
    scale_min: float = bounded(1.0, above=0)
    scale_max: float = bounded(1.0, above=0)
    rotation: float = bounded(0.0, least=0, most=180)

    flip: bool = True
    quarter_turns: bool = True
    hue: int = bounded(0, least=0, most=90)
    saturation: int = bounded(0, least=0, most=255)
    value: int = bounded(0, least=0, most=255)
    # Largest change of the contrast, as a share.
    contrast: float = bounded(0.0, least=0, most=1)
    # Largest deviation of a Gaussian blur, in pixels.
    blur: float = bounded(0.0, least=0, most=20)
    # Up to so many rectangles of a random colour hide the image, each side up to so many pixels.
    occlusions: int = bounded(0, least=0)
    occlusion_px: int = bounded(32, least=1)
    # The share of crops in which a rectangle shows another crop, with its labels.
    mix: float = bounded(0.0, least=0, most=1)
    # The share of crops over which the roads of another crop are laid, with their labels; half of
    # these roads without cars and markings.
    paste: float = bounded(0.0, least=0, most=1)

    def __post_init__(self) -> None:
        if self.scale_min > self.scale_max:
            raise RoadexError(
                f"augment.scale_min={self.scale_min}: must not be above "
                f"augment.scale_max={self.scale_max}"
            )


class Precision(Enum):
    """Number format of the forward and backward pass; fp16 scales its gradients."""

    fp32 = "fp32"
    bf16 = "bf16"
    fp16 = "fp16"


@dataclass
class InferenceConfig:
    """How a whole tile is predicted."""

    # Tiles larger than this are predicted in overlapping, blended windows (pixels).
    window: int = bounded(1024, least=64)
    overlap: int = bounded(128, least=0)
    # Average over the eight flips and turns.
    flips: bool = False

    def __post_init__(self) -> None:
        if self.overlap > self.window // 2:
            raise RoadexError(
                f"inference.overlap={self.overlap}: must be at most half of "
                f"inference.window={self.window}"
            )


@dataclass
class TrainerConfig:
    """The training loop."""

    # auto takes a GPU when there is one.
    device: str = choice("auto", "auto", "cpu", "cuda", "mps")
    precision: Precision = Precision.fp32
    channels_last: bool = False
    # Compile the training step's network (a minute or more, once).
    compile: bool = False
    # Compute the hourglasses again in the backward pass rather than keep what they hold.
    recompute: bool = False
    epochs: int = bounded(100, least=1)
    # Images of one optimiser step, over all processes.
    batch_size: int = bounded(8, least=1)
    # Pieces in which a process computes its part of a batch, to need less memory: the step stays
    # that of the whole batch, except that batch norms see a piece at a time.
    accumulate: int = bounded(1, least=1)
    # Epochs without a better validation score before the training ends; 0 never ends it early.
    patience: int = bounded(10, least=0)
    # The validation score that decides which checkpoint is the best.
    monitor: str = choice("f1", "f1", "iou", "apls")
    # Validate after every so many epochs, and after the last.
    validate_every: int = bounded(1, least=1)
    clip_norm: float = bounded(0.0, least=0)
    # Processes that load crops; -1 takes one per spare core.
    loaders: int = bounded(-1, least=-1)
    # Processes that decode and score validation graphs while the training goes on; 0 waits for
    # them, -1 takes some beside a GPU and none beside a CPU, whose cores they would compete for.
    scorers: int = bounded(-1, least=-1)
    # Exponential moving average of the weights, used for validation and kept; 0 turns it off.
    ema: float = bounded(0.0, least=0, most=0.99999)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    # Tiles drawn in RUN/overlays.
    overlays: int = bounded(6, least=0)
    # A checkpoint to continue from after so many steps, besides one each epoch; 0: only those.
    save_steps: int = bounded(500, least=0)
    # So many of them are kept.
    keep: int = bounded(2, least=1)
    # For debugging: train on the first so many batches again and again; 0 is off.
    overfit_batches: int = bounded(0, least=0)
    # One batch of everything, of which nothing is kept: to see that it works.
    dry_run: bool = False
    # Instead of training, try ever higher learning rates in so many steps; 0 trains.
    find_lr: int = bounded(0, least=0)

    def __post_init__(self) -> None:
        if self.compile and self.recompute:
            raise RoadexError("trainer.compile and trainer.recompute: choose one of them")
        if self.accumulate > self.batch_size:
            raise RoadexError(
                f"trainer.accumulate={self.accumulate}: a batch of trainer.batch_size="
                f"{self.batch_size} has no so many pieces"
            )


@dataclass
class TrackingConfig:
    """Weights & Biases. Offline needs no account: `wandb sync RUN/wandb/offline-run-*` uploads."""

    mode: str = choice("offline", "online", "offline", "disabled")
    project: str = "roadex"
    entity: str | None = None
    group: str | None = None
    tags: list[str] | None = None
    # The settings that a sweep varies in this run: they are in its name and tags.
    varied: list[str] = field(default_factory=list)
