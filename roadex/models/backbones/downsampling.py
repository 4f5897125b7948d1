"""Backbones trained from scratch: the published downsampling, and a light one."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


class PaperBackbone(nn.Sequential):
    """conv7x7 s2, block, maxpool, two blocks: (B, bands, H, W) to (B, width, H/4, W/4).

    `block(inputs, outputs)` builds a residual block of the model.
    """

    multiple = 4

    def __init__(self, bands: int, width: int, block: Callable[[int, int], nn.Module]) -> None:
        half = width // 2
        super().__init__(
            nn.Conv2d(bands, half, 7, stride=2, padding=3),
            nn.BatchNorm2d(half),
            nn.ReLU(inplace=True),
            block(half, half),
            nn.MaxPool2d(2),
            block(half, half),
            block(half, width),
        )


class LightBackbone(nn.Sequential):
    """conv3x3 s2, conv3x3 s2, block: (B, bands, H, W) to (B, width, H/4, W/4).

    `block(inputs, outputs)` builds a residual block of the model.
    """

    multiple = 4

    def __init__(self, bands: int, width: int, block: Callable[[int, int], nn.Module]) -> None:
        half = width // 2
        super().__init__(
            nn.Conv2d(bands, half, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(inplace=True),
            nn.Conv2d(half, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            block(width, width),
        )
