"""LinkNet (Chaurasia and Culurciello 2017) on any timm encoder."""

from __future__ import annotations

from roadex.config.backbone import BackboneConfig
from roadex.config.model import LinknetConfig
from roadex.models.encoder_decoder import EncoderDecoder, build_network


def build_linknet(config: LinknetConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """The decoder's widths follow from the encoder's."""
    return EncoderDecoder(build_network("linknet", config, backbone), config)
