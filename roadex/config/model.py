"""Schemas of the groups `model` and `backbone`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING

from roadex.config.limits import bounded


class GlobalAware(Enum):
    """Which gates of the global-aware layer are built."""

    none = "none"
    channel = "channel"
    spatial = "spatial"
    both = "both"


@dataclass
class ModelConfig:
    """What all models share: `name` is the key in the registry (roadex/models/registry.py)."""

    name: str = MISSING
    # Whether the connectivity task is built beside the segmentation.
    connectivity: bool = True
    # Background, dead end, along, three ways, ... up to `connectivity_classes - 1` ways or more.
    connectivity_classes: int = bounded(5, least=3, most=64)


@dataclass
class StackedMultitaskConfig(ModelConfig):
    """The stacked multitask network of Xu et al. 2023; the defaults are the published setting."""

    name: str = "stacked_multitask"
    stacks: int = bounded(2, least=1)
    # Times the hourglass halves the trunk's resolution.
    depth: int = bounded(3, least=1, most=6)
    width: int = bounded(128, least=8)
    # Residual blocks in each group of the hourglass.
    blocks: int = bounded(3, least=1)
    global_aware: GlobalAware = GlobalAware.both
    squeeze: int = bounded(16, least=1)
    # Hidden channels of the heads and of the full-resolution classifiers.
    head_width: int = bounded(32, least=4)


@dataclass
class BackboneConfig:
    """Brings the image to the trunk: `width` channels at a quarter of the resolution."""

    kind: str = MISSING


@dataclass
class PaperBackboneConfig(BackboneConfig):
    """The published downsampling module, trained from scratch."""

    kind: str = "paper"


@dataclass
class TimmBackboneConfig(BackboneConfig):
    """Any timm feature extractor, its pyramid fused top-down at stride 4."""

    kind: str = "timm"
    name: str = "resnet18"
    pretrained: bool = False
