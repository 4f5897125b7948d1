"""Hourglasses: one that all tasks share, and one whose way up every task has for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

BlockFactory = Callable[[], nn.Module]


def group(block: BlockFactory, blocks: int) -> nn.Sequential:
    """`blocks` residual blocks in a row."""
    return nn.Sequential(*(block() for _ in range(blocks)))


class Hourglass(nn.Module):
    """Level n: down = group(maxpool(x)), inner hourglass, up = nearest(group(.)), out = x + up.

    At the innermost level the inner hourglass is one group. The skip is the identity. Sides must
    be multiples of 2 ** depth.

    Attributes:
        recompute: whether the backward pass computes the inside again instead of keeping it.
    """

    def __init__(self, block: BlockFactory, depth: int, blocks: int) -> None:
        super().__init__()
        self.recompute = False
        self.down = group(block, blocks)
        self.inner = Hourglass(block, depth - 1, blocks) if depth > 1 else group(block, blocks)
        self.up = group(block, blocks)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if self.recompute and torch.is_grad_enabled():
            contexts = partial(_statistics_once, self)
            result: Tensor = checkpoint(self._pass, x, use_reentrant=False, context_fn=contexts)
            return result
        return self._pass(x)

    def _pass(self, x: Tensor) -> Tensor:
        below = self.up(self.inner(self.down(functional.max_pool2d(x, 2))))
        return x + functional.interpolate(below, scale_factor=2.0, mode="nearest")


def _statistics_once(
    module: nn.Module,
) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Contexts of both computations, of which only the first updates batch norms."""
    return nullcontext(), _without_memory(module)


@contextmanager
def _without_memory(module: nn.Module) -> Iterator[None]:
    """Leave the running statistics of batch norms unchanged, by a momentum of 0."""
    norms = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    counts = [cast(Tensor, norm.num_batches_tracked) for norm in norms]
    before = [(norm.momentum, count.clone()) for norm, count in zip(norms, counts, strict=True)]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, tracked, (momentum, count) in zip(norms, counts, before, strict=True):
            norm.momentum = momentum
            tracked.copy_(count)


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
