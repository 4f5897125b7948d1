"""Every model, made tiny for tests."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from roadex.config.backbone import (
    BackboneConfig,
    LightBackboneConfig,
    PaperBackboneConfig,
    TimmBackboneConfig,
)
from roadex.config.model import (
    DeepLabV3PlusConfig,
    DLinkNetConfig,
    LinknetConfig,
    ModelConfig,
    MultibranchConfig,
    RoadexConfig,
    SamRoadConfig,
    SegformerConfig,
    StackedMultitaskConfig,
    StackedOrientationConfig,
    UnetConfig,
)
from roadex.models.registry import build_model

PAPER = PaperBackboneConfig()
TIMM = TimmBackboneConfig(name="resnet10t")
STACKED = {"width": 16, "blocks": 1, "head_width": 8, "depth": 2}
ZOO: dict[str, tuple[ModelConfig, BackboneConfig]] = {
    "stacked_multitask": (StackedMultitaskConfig(**STACKED), PAPER),
    "roadex": (RoadexConfig(width=16, depth=2, detail=4), LightBackboneConfig()),
    "stacked_orientation": (StackedOrientationConfig(**STACKED), PAPER),
    "multibranch": (MultibranchConfig(**STACKED), PAPER),
    "unet": (UnetConfig(width=4), TIMM),
    "linknet": (LinknetConfig(), TIMM),
    "dlinknet": (DLinkNetConfig(), TIMM),
    "deeplabv3plus": (DeepLabV3PlusConfig(width=16), TIMM),
    "segformer": (SegformerConfig(width=16), TIMM),
    "sam_road": (SamRoadConfig(width=64, paths=False), TimmBackboneConfig(name="test_vit")),
}


def tiny(name: str, **changes: object) -> nn.Module:
    """A small model of that name with fresh weights."""
    config, backbone = ZOO[name]
    return build_model(replace(config, **changes), backbone)
