"""Models by name, and what they cost."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from roadex.config.backbone import BackboneConfig
from roadex.config.extensions import extensions, together
from roadex.config.model import ModelConfig, SamRoadConfig
from roadex.errors import RoadexError
from roadex.models.encoder_decoder import (
    OneScaleEncoder,
    build_deeplabv3plus,
    build_dlinknet,
    build_linknet,
    build_segformer,
    build_unet,
)
from roadex.models.multibranch import Multibranch
from roadex.models.pair_head import PairHead
from roadex.models.roadex import Roadex
from roadex.models.sam_road import Head, SamRoad, TopologyHead
from roadex.models.stacked_multitask import StackedMultitask

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
    "sam_road": SamRoad,
}


def build_model(config: ModelConfig, backbone: BackboneConfig) -> nn.Module:
    """The model of `model=` on the backbone of `backbone=`, with fresh weights.

    With `model.paths` it has a `pair_head`, which its own forward pass does not call.

    Raises:
        RoadexError: the backbone does not fit the model.
    """
    brought = {name: one.build for name, one in extensions("model").items()}
    build = together("model", MODELS, brought)[config.name]
    try:
        model = cast(nn.Module, build(config, backbone))
    except OneScaleEncoder as error:
        others = [name for name, one in MODELS.items() if one.__module__ != build.__module__]
        raise RoadexError(
            f"{error}: choose model={', '.join(others)}, or another encoder"
        ) from error
    if config.paths:
        model.add_module("pair_head", build_pair_head(config))
    return model


def build_pair_head(config: ModelConfig) -> Head:
    """The head that classifies pairs of vertices on what a model of these settings says."""
    if isinstance(config, SamRoadConfig):
        return TopologyHead(config.pair_head)
    return PairHead(config.pair_head, config.connectivity_classes if config.connectivity else 0)


def count_parameters(model: nn.Module) -> int:
    """Trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


SIDE = 512


def count_macs(model: nn.Module, side: int = SIDE, bands: int = 3) -> int:
    """Multiply-accumulate operations of one forward pass over an image of `side` x `side`.

    Convolutions and matrix products are counted, as is the custom; sums, activations and resizing
    are not. Nothing is computed: the pass runs over shapes alone, on a copy of the model.
    """
    shapes = copy.deepcopy(model).to("meta").eval()
    image = torch.empty(1, bands, side, side, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shapes(image)
    result: int = counter.get_total_flops() // 2
    return result
