"""A backbone that leaves the work to the coarser levels: two strided convolutions and a block."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


class LightBackbone(nn.Sequential):
    """conv3x3 s2, conv3x3 s2, block: (B, 3, H, W) to (B, width, H/4, W/4).

    `block(inputs, outputs)` builds a residual block of the model.
    """

    multiple = 4

    def __init__(self, width: int, block: Callable[[int, int], nn.Module]) -> None:
        half = width // 2
        super().__init__(
            nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(inplace=True),
            nn.Conv2d(half, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            block(width, width),
        )
