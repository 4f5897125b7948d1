"""The multihead hourglass: one trunk that looks at the scene at several resolutions."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

BlockFactory = Callable[[], nn.Module]


def group(block: BlockFactory, blocks: int) -> nn.Sequential:
    """`blocks` residual blocks in a row."""
    return nn.Sequential(*(block() for _ in range(blocks)))


class Hourglass(nn.Module):
    """Level n: down = group(maxpool(x)), inner hourglass, up = nearest(group(.)), out = x + up.

    At the innermost level the inner hourglass is one group. The skip is the identity. Sides must
    be multiples of 2 ** depth.
    """

    def __init__(self, block: BlockFactory, depth: int, blocks: int) -> None:
        super().__init__()
        self.down = group(block, blocks)
        self.inner = Hourglass(block, depth - 1, blocks) if depth > 1 else group(block, blocks)
        self.up = group(block, blocks)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        below = self.up(self.inner(self.down(functional.max_pool2d(x, 2))))
        return x + functional.interpolate(below, scale_factor=2.0, mode="nearest")
