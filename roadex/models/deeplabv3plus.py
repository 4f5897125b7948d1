"""DeepLabV3+ (Chen et al. 2018) on timm encoders that can be dilated to a stride of 16."""

from __future__ import annotations

from roadex.config.backbone import BackboneConfig
from roadex.config.model import DeepLabV3PlusConfig
from roadex.models.encoder_decoder import EncoderDecoder, build_network


def build_deeplabv3plus(config: DeepLabV3PlusConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """Its pooled branch wants batches of two or more in training."""
    network = build_network("deeplabv3plus", config, backbone, decoder_channels=config.width)
    return EncoderDecoder(network, config)
