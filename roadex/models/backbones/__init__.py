"""Backbones: from the image to the trunk at a quarter of its resolution."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from roadex.config.backbone import BackboneConfig, TimmBackboneConfig
from roadex.models.backbones.downsampling import LightBackbone, PaperBackbone

OWN = {"paper": PaperBackbone, "light": LightBackbone}


def build_backbone(
    config: BackboneConfig, width: int, block: Callable[[int, int], nn.Module]
) -> nn.Module:
    """The backbone of `config`; its attribute `multiple` is what image sides must divide by."""
    if isinstance(config, TimmBackboneConfig):
        from roadex.models.backbones.pyramid import TimmBackbone  # timm takes a second to import

        return TimmBackbone(config, width)
    return OWN[config.kind](config.bands, width, block)
