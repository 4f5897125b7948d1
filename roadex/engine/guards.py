"""What a training does when the machine or the numbers fail it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from roadex.data.crops import Crop
from roadex.errors import RoadexError
from roadex.files import atomic_write


@contextmanager
def explain_memory(remedy: str) -> Iterator[None]:
    """Say what to set where the block needs more memory than there is.

    Raises:
        RoadexError: the GPU's or the machine's memory is too small.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise RoadexError(f"CUDA is out of memory: {remedy}") from error
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):
            raise
        raise RoadexError(f"the machine is out of memory: {remedy}") from error


def keep_batch(folder: Path, batch: Crop, draws: list[int], step: int) -> Path:
    """Write a batch into `folder` for inspection: its arrays (N, ...) and its draw numbers (N).

    Returns:
        The .npz file.
    """
    path = folder / f"bad_batch_step_{step:06}.npz"
    arrays = {"draws": np.array(draws), **{k: v.cpu().numpy() for k, v in batch.items()}}
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    return path
