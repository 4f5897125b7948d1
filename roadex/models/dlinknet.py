"""D-LinkNet (Zhou et al. 2018): LinkNet with a cascade of dilated convolutions in its centre."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from roadex.config.backbone import BackboneConfig
from roadex.config.model import DLinkNetConfig
from roadex.models.encoder_decoder import EncoderDecoder, build_network


class DilatedCascade(nn.Module):
    """The sum of all y_i, with y_0 = x and y_i = relu(conv3x3 with dilation d_i of y_(i-1)).

    With dilations 1, 2, 4, 8 and 16 a pixel sees 63 x 63 of the coarsest map.
    """

    def __init__(self, channels: int, dilations: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation),
                nn.ReLU(),
            )
            for dilation in dilations
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        total = x
        for layer in self.layers:
            x = layer(x)
            total = total + x
        return total


def build_dlinknet(config: DLinkNetConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """LinkNet's encoder and decoder about the cascade."""
    network = build_network("linknet", config, backbone)
    channels = cast(list[int], cast(nn.Module, network.encoder).out_channels)[-1]
    centre = DilatedCascade(channels, list(config.dilations))
    return EncoderDecoder(network, config, centre)
