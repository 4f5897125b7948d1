"""The all-MLP decoder of SegFormer (Xie et al. 2021) on any timm encoder, MiT-like or not."""

from __future__ import annotations

from roadex.config.backbone import BackboneConfig
from roadex.config.model import SegformerConfig
from roadex.models.encoder_decoder import EncoderDecoder, build_network


def build_segformer(config: SegformerConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """The maps of strides 4 to 32 are brought to `width` channels each and fused."""
    network = build_network(
        "segformer", config, backbone, decoder_segmentation_channels=config.width
    )
    return EncoderDecoder(network, config)
