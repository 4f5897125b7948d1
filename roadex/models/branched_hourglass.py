"""An hourglass whose way down is shared and whose way up every task has for itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from roadex.models.hourglass import BlockFactory, group


class BranchedHourglass(nn.Module):
    """Level n: down = group(maxpool(x)), inner hourglass, out_t = skip(x) + nearest(group_t(.)).

    At the innermost level the inner hourglass is one group that the tasks share. Sides must be
    multiples of 2 ** depth.

    Args:
        skip_groups: the skip is a group of blocks, not the identity.
    """

    def __init__(
        self,
        block: BlockFactory,
        depth: int,
        blocks: int,
        tasks: Iterable[str],
        skip_groups: bool,
    ) -> None:
        super().__init__()
        self.skip: nn.Module = group(block, blocks) if skip_groups else nn.Identity()
        self.down = group(block, blocks)
        self.ups = nn.ModuleDict({task: group(block, blocks) for task in tasks})
        self.innermost = depth == 1
        self.inner: nn.Module = (
            group(block, blocks)
            if self.innermost
            else BranchedHourglass(block, depth - 1, blocks, tasks, skip_groups)
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """(B, C, H, W) to the same shape for each task."""
        skip = self.skip(x)
        inner = self.inner(self.down(functional.max_pool2d(x, 2)))
        below = cast(dict[str, Tensor], dict.fromkeys(self.ups, inner) if self.innermost else inner)
        return {
            task: skip + functional.interpolate(up(below[task]), scale_factor=2.0, mode="nearest")
            for task, up in self.ups.items()
        }
