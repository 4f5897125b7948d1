"""Building blocks of the stacked multitask model (Xu et al. 2023, section on the GA module)."""

from __future__ import annotations

import math

from torch import Tensor, nn

from roadex.config.model import GlobalAware


class GlobalAwareLayer(nn.Module):
    """Gates a feature map by its channels, then by its positions.

    u = sigmoid(W2 relu(W1 gap(x))), y = x u; v = sigmoid(mean over channels of y); output y v.
    The channel gate's convolutions have no bias; the spatial gate has no parameters.
    """

    def __init__(self, channels: int, gates: GlobalAware, squeeze: int) -> None:
        super().__init__()
        self.spatial = gates in (GlobalAware.spatial, GlobalAware.both)
        self.channel = None
        if gates in (GlobalAware.channel, GlobalAware.both):
            hidden = max(1, channels // squeeze)
            self.channel = nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(channels, hidden, 1, bias=False),
                nn.ReLU(inplace=True),
                nn.Conv2d(hidden, channels, 1, bias=False),
                nn.Sigmoid(),
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if self.channel is not None:
            x = x * self.channel(x)
        if self.spatial:
            x = x * x.mean(dim=1, keepdim=True).sigmoid()
        return x


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a global-aware layer, added to the identity."""

    def __init__(
        self, inputs: int, outputs: int, gates: GlobalAware, squeeze: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            GlobalAwareLayer(outputs, gates, squeeze),
        )
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs or stride != 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        result: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return result


def initialize(module: nn.Module) -> None:
    """Weights N(0, sqrt(2 / (kh kw C_out))) and biases 0 for convolutions; batch norms 1 and 0."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            height, width = layer.kernel_size
            deviation = math.sqrt(2.0 / (height * width * layer.out_channels))
            nn.init.normal_(layer.weight, 0.0, deviation)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)
