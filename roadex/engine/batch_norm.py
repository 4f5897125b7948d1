"""Batch norms whose statistics are those of the samples of all processes, on any device."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.distributed as dist
from timm.layers import BatchNormAct2d, convert_sync_batchnorm
from torch import Tensor, nn


def synchronize(model: nn.Module, device: torch.device) -> nn.Module:
    """The model with synchronised batch norms; names and values of its state stay.

    On GPUs they are those of torch and timm, which support no other device.
    """
    if device.type == "cuda":
        return cast(nn.Module, convert_sync_batchnorm(model))
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, BatchNormAct2d):
                setattr(parent, name, SynchronizedBatchNormAct.of(child))
            elif isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, SynchronizedBatchNorm.of(child))
    return model


class SynchronizedBatchNorm(nn.BatchNorm2d):
    """A batch norm over (B, C, H, W) whose batch is that of all processes together."""

    @classmethod
    def of(cls, norm: nn.BatchNorm2d) -> SynchronizedBatchNorm:
        """With the settings, parameters and buffers of `norm`, not copies of them."""
        found = cls(norm.num_features, norm.eps, norm.momentum, norm.affine)
        found.__dict__.update(norm.__dict__)
        return found

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if not self.training or dist.get_world_size() == 1:
            return super().forward(input)
        x = input.float()
        count = x.new_tensor([x.numel() / x.shape[1]])
        sums = _add(torch.cat([x.sum(dim=(0, 2, 3)), count]))
        total = sums[-1].detach()
        mean = sums[:-1] / total
        deviation = x - mean.view(1, -1, 1, 1)
        variance = _add(deviation.square().sum(dim=(0, 2, 3))) / total
        self._follow(mean.detach(), variance.detach() * total / (total - 1))
        scale = torch.rsqrt(variance + self.eps)
        if self.affine:
            scale = scale * self.weight
        scaled = deviation * scale.view(1, -1, 1, 1)
        if self.affine:
            scaled = scaled + self.bias.view(1, -1, 1, 1)
        return scaled.to(input.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Let the running statistics follow a batch's mean and unbiased variance (C,)."""
        if not self.track_running_stats:
            return
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance, momentum)


class SynchronizedBatchNormAct(SynchronizedBatchNorm):
    """The same with the activation that timm's models keep in their batch norms."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        drop, act = cast(nn.Module, self.drop), cast(nn.Module, self.act)
        found: Tensor = act(drop(super().forward(input)))
        return found


class _Sum(torch.autograd.Function):
    """The sum over the processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        return total


def _add(values: Tensor) -> Tensor:
    found: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return found
