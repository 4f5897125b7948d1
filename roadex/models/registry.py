"""Models by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from roadex.config.model import BackboneConfig, ModelConfig
from roadex.models.stacked_multitask import StackedMultitask

MODELS: dict[str, Callable[[Any, BackboneConfig], nn.Module]] = {
    "stacked_multitask": StackedMultitask,
}


def build_model(config: ModelConfig, backbone: BackboneConfig) -> nn.Module:
    """The network of `model=` on the backbone of `backbone=`, with fresh weights."""
    return MODELS[config.name](config, backbone)


def count_parameters(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
