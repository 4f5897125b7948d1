"""The processes that train together, started by torchrun, or a single one.

Their batch norms have the statistics of the samples of all processes, on any device.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from timm.layers import BatchNormAct2d, convert_sync_batchnorm
from torch import Tensor, nn

from roadex.config.schemas import restore_training, to_plain
from roadex.config.train import TrainConfig
from roadex.errors import RoadexError
from roadex.runs.folder import RunFolder, open_run

Item = TypeVar("Item")
# The first process may prepare a dataset for hours while the others wait.
_PATIENCE = timedelta(days=2)


@dataclass(frozen=True)
class Group:
    """The processes of one training; alone, number 0 of 1.

    All methods but `part` are collective: every process must call them, in the same order.

    Attributes:
        rank: this process's number; process 0 is the leader, the only one that writes.
        size: processes in all.
        local_rank: this process's number on its machine.
        waiting: where processes wait for the leader; None alone.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    waiting: dist.ProcessGroup | None = None

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def part(self, items: Sequence[Item]) -> list[Item]:
        """This process's items of a list that all have: parts differ by one in length at most."""
        first, last = (len(items) * rank // self.size for rank in (self.rank, self.rank + 1))
        return list(items[first:last])

    def add(self, values: Tensor) -> Tensor:
        """The sum over the processes, in place, wherever the tensor lies."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return flag if self.size == 1 else bool(self.add(torch.tensor(int(flag))).item())

    def gather(self, value: Any) -> list[Any]:
        """A value of lists, dictionaries, strings and numbers from every process, by rank."""
        if self.size == 1:
            return [value]
        own = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(lengths, torch.tensor([len(own)]))
        longest = int(max(lengths))
        texts = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.size)]
        dist.all_gather(texts, torch.nn.functional.pad(own, (0, longest - len(own))))
        pairs = zip(texts, lengths, strict=True)
        return [json.loads(text[: int(length)].numpy().tobytes()) for text, length in pairs]

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """The leader does it while the others wait; then they do it, and find it done."""
        if not self.leads:
            self._wait()
        yield
        if self.leads:
            self._wait()

    def _wait(self) -> None:
        if self.size > 1:
            dist.barrier(self.waiting)


@contextmanager
def open_group() -> Iterator[Group]:
    """Join the processes that torchrun started; alone without it.

    Raises:
        RoadexError: another process ended, or the error of this one with its number.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group()
        return
    rank, local_rank = (int(os.environ[key]) for key in ("RANK", "LOCAL_RANK"))
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank % torch.cuda.device_count())
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        waiting = dist.new_group(backend="gloo", timeout=_PATIENCE)
        yield Group(rank, size, local_rank, waiting)
    except RoadexError as error:
        raise RoadexError(f"process {rank} of {size}: {error}") from error
    except RuntimeError as error:
        if not _lost_another(error):
            raise
        raise RoadexError(
            f"process {rank} of {size} stops, as another one ended: it has printed the reason, "
            "or below by torchrun"
        ) from error
    finally:
        dist.destroy_process_group()


def _lost_another(error: RuntimeError) -> bool:
    """Whether a collective failed because another process is gone (gloo raises plain errors)."""
    signs = ("gloo", "Connection closed by peer", "Connection reset by peer")
    return isinstance(error, dist.DistError) or any(sign in str(error) for sign in signs)


@contextmanager
def join_run(config: TrainConfig, group: Group) -> Iterator[RunFolder]:
    """The run folder, opened by the group's leader; the others read what it wrote."""
    if not group.leads:
        path, settings = group.gather(None)[0]
        yield RunFolder(Path(path), restore_training(settings, path), writes=False)
        return
    with open_run(config) as run:
        group.gather([str(run.path), to_plain(run.config)])
        yield run


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
