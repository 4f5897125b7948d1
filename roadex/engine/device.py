"""Where the model runs, in which number format, and the state of every random generator."""

from __future__ import annotations

import os
import random
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn

from roadex.config.trainer import Precision
from roadex.errors import RoadexError

FORMATS = {Precision.bf16: torch.bfloat16, Precision.fp16: torch.float16}


def pick_device(wanted: str, local_rank: int = 0) -> torch.device:
    """The device of `trainer.device`; `auto` takes a GPU when there is one.

    Args:
        local_rank: which of this machine's processes asks; each gets a GPU of its own.

    Raises:
        RoadexError: the device is not there.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        wanted = next((name for name, there in available.items() if there), "cpu")
    if not available.get(wanted, True):
        raise RoadexError(f"device={wanted}: this machine has none; use auto or cpu")
    if wanted != "cuda":
        return torch.device(wanted)
    if local_rank >= torch.cuda.device_count():
        raise RoadexError(
            f"this machine has {torch.cuda.device_count()} GPUs: start no more processes "
            "(torchrun --nproc-per-node)"
        )
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)


def seed_everything(seed: int) -> None:
    """Seed the generators that initialisation and layers such as dropout draw from."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - for libraries that use the global generator
    torch.manual_seed(seed)


def settled_precision(wanted: Precision, device: torch.device) -> Precision:
    """The number format that `auto` means on a device; any other is itself.

    A processor counts as computing in bf16 where it has instructions for it (avx512_bf16): without
    them bf16 is slower than fp32.
    """
    if wanted is not Precision.auto:
        return wanted
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return Precision.bf16 if native else Precision.fp16
    if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported():
        return Precision.bf16
    return Precision.fp32


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """The context in which the forward pass runs."""
    precision = settled_precision(precision, device)
    if precision is Precision.fp32:
        return nullcontext()
    return torch.autocast(device.type, dtype=FORMATS[precision])


def place(model: nn.Module, device: torch.device, channels_last: bool) -> nn.Module:
    """Move a model to the device, in the memory format of the settings."""
    if channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model.to(device)


def loader_count(wanted: int, device: torch.device) -> int:
    """Processes that load crops: -1 means none on a CPU, which the training needs itself."""
    if wanted >= 0:
        return wanted
    return 0 if device.type == "cpu" else max(1, min(8, (os.cpu_count() or 2) - 1))


def random_state() -> dict[str, Any]:
    """The global generators of Python, NumPy, PyTorch and each GPU, as plain values and tensors."""
    _, key, *rest = np.random.get_state()  # noqa: NPY002 - libraries draw from the global one
    return {
        "python": random.getstate(),
        "numpy": [torch.from_numpy(np.asarray(key).astype(np.int64)), *rest],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: dict[str, Any]) -> None:
    """Restore a `random_state`; that of GPUs only if their number is the same."""
    random.setstate(state["python"])
    key, *rest = state["numpy"]
    np.random.set_state(("MT19937", key.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
