"""Schemas of the group `optimizer`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from roadex.config.limits import bounded


@dataclass
class OptimizerConfig:
    """Base of the optimisers; `kind` is the key in roadex/engine/optimization.py."""

    kind: str = MISSING
    lr: float = bounded(1e-3, above=0)
    weight_decay: float = bounded(0.0, least=0)
    # Whether the weight decay acts on the norms and biases too.
    decay_norms: bool = False
    # The learning rate of a timm encoder is this times `lr`; 0.1 spares pretrained weights.
    encoder_lr: float = bounded(1.0, above=0, most=10)
    # Each layer of the encoder learns this much slower than the one after it; 1 turns it off.
    layer_decay: float = bounded(1.0, above=0, most=1)


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
