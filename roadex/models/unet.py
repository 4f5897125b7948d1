"""U-Net (Ronneberger et al. 2015) on any timm encoder."""

from __future__ import annotations

from roadex.config.backbone import BackboneConfig
from roadex.config.model import UnetConfig
from roadex.models.encoder_decoder import EncoderDecoder, build_network

LEVELS = 5


def build_unet(config: UnetConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """Decoder levels of 16, 8, 4, 2 and 1 times `width` channels."""
    channels = [config.width * 2**level for level in reversed(range(LEVELS))]
    network = build_network("unet", config, backbone, decoder_channels=channels)
    return EncoderDecoder(network, config)
