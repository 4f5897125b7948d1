"""Settings that make a training step faster or smaller without changing its result."""

from __future__ import annotations

import importlib.util
import os
import shutil
from contextlib import AbstractContextManager, nullcontext
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from roadex.engine.distributed import Group
from roadex.errors import RoadexError
from roadex.models.hourglass import Hourglass


def compiled(model: nn.Module, device: torch.device) -> nn.Module:
    """The model through torch.compile, sharing its weights; compiled at the first call.

    Raises:
        RoadexError: no compiler for the device is installed.
    """
    if device.type == "cpu" and not shutil.which(os.environ.get("CXX", "g++")):
        raise RoadexError("trainer.compile=true needs a C++ compiler: install g++ or leave it out")
    if device.type == "cuda" and not importlib.util.find_spec("triton"):
        raise RoadexError("trainer.compile=true needs triton: install it or leave it out")
    return cast(nn.Module, torch.compile(model, dynamic=False))


def recompute_hourglasses(model: nn.Module) -> None:
    """Let the hourglasses of a model keep only their input for the backward pass.

    Raises:
        RoadexError: the model has none.
    """
    outermost = [
        child
        for parent in model.modules()
        if not isinstance(parent, Hourglass)
        for child in parent.children()
        if isinstance(child, Hourglass)
    ]
    if not outermost:
        raise RoadexError(
            "trainer.activation_checkpointing=true: this model has no hourglass; leave it out"
        )
    for hourglass in outermost:
        hourglass.recompute = True


def in_parallel(model: nn.Module, group: Group, device: torch.device) -> nn.Module:
    """The model whose gradients are the mean over the processes of a group."""
    if group.size == 1:
        return model
    # The pair head is called outside of the forward pass: the learner averages its gradients.
    own = [name for name, _ in model.named_parameters() if name.startswith("pair_head.")]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, own)
    devices = [device] if device.type == "cuda" else None
    # Batch norms are synchronised, so that all processes have the same buffers anyway.
    return DistributedDataParallel(
        model, devices, broadcast_buffers=False, gradient_as_bucket_view=True
    )


def without_exchange(model: nn.Module) -> AbstractContextManager[None]:
    """Backward passes in this context do not average the gradients over the processes."""
    if isinstance(model, DistributedDataParallel):
        return cast(AbstractContextManager[None], model.no_sync())
    return nullcontext()


_LIKE = {"meta": "cpu"}  # which has no autocast: operations are counted there


class _Float32(nn.Module):
    """Mixed into a module: it computes in 32 bits, even under autocast."""

    def forward(self, x: Tensor) -> Tensor:
        """The module's own forward pass; the result has the number format of `x`."""
        with torch.autocast(_LIKE.get(x.device.type, x.device.type), enabled=False):
            y: Tensor = super().forward(x.float())
        return y.to(x.dtype)


def depthwise_in_float32(model: nn.Module) -> None:
    """Let depthwise convolutions of 5x5 and more compute in 32 bits.

    On a CPU they take twice as long or longer in bf16 (experiments/training_speed).
    """
    for module in model.modules():
        if not isinstance(module, nn.Conv2d) or isinstance(module, _Float32):
            continue
        if module.groups == module.in_channels > 1 and max(module.kernel_size) >= 5:
            kind = type(module)
            module.__class__ = type(f"Float32{kind.__name__}", (_Float32, kind), {})
