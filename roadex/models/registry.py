"""Models by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from torch import nn

from roadex.config.backbone import BackboneConfig
from roadex.config.extensions import extensions, together
from roadex.config.model import ModelConfig
from roadex.models.deeplabv3plus import build_deeplabv3plus
from roadex.models.dlinknet import build_dlinknet
from roadex.models.linknet import build_linknet
from roadex.models.multibranch import Multibranch
from roadex.models.pair_head import PairHead
from roadex.models.roadex import Roadex
from roadex.models.segformer import build_segformer
from roadex.models.stacked_multitask import StackedMultitask
from roadex.models.unet import build_unet

MODELS: dict[str, Callable[[Any, BackboneConfig], nn.Module]] = {
    "stacked_multitask": StackedMultitask,
    "roadex": Roadex,
    "stacked_orientation": Multibranch,
    "multibranch": Multibranch,
    "unet": build_unet,
    "linknet": build_linknet,
    "dlinknet": build_dlinknet,
    "deeplabv3plus": build_deeplabv3plus,
    "segformer": build_segformer,
}


def build_model(config: ModelConfig, backbone: BackboneConfig) -> nn.Module:
    """The model of `model=` on the backbone of `backbone=`, with fresh weights.

    With `model.paths` it has a `pair_head`, which its own forward pass does not call.
    """
    brought = {name: one.build for name, one in extensions("model").items()}
    model = cast(nn.Module, together("model", MODELS, brought)[config.name](config, backbone))
    if config.paths:
        model.add_module("pair_head", build_pair_head(config))
    return model


def build_pair_head(config: ModelConfig) -> PairHead:
    """The head that judges pairs of vertices on what a model of these settings says."""
    return PairHead(config.pair_head, config.connectivity_classes if config.connectivity else 0)


def count_parameters(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
