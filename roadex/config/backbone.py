"""Schemas of the group `backbone`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class BackboneConfig:
    """Brings the image to the trunk: `width` channels at a quarter of the resolution."""

    kind: str = MISSING


@dataclass
class PaperBackboneConfig(BackboneConfig):
    """The published downsampling module, trained from scratch."""

    kind: str = "paper"


@dataclass
class LightBackboneConfig(BackboneConfig):
    """Two strided convolutions and a block, trained from scratch."""

    kind: str = "light"


@dataclass
class TimmBackboneConfig(BackboneConfig):
    """Any timm feature extractor, its pyramid fused top-down at stride 4."""

    kind: str = "timm"
    name: str = "resnet18"
    pretrained: bool = False
