"""A training's batches, from any position in any epoch.

Also what is done when their loader dies, memory is too small, or a loss is not finite.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from roadex.data.crops import Crop, DrawSampler, collated
from roadex.errors import DataError, RoadexError
from roadex.files import atomic_write

log = logging.getLogger(__name__)
RESTARTS = 3
# The errors of a dead loading process: PyTorch's own, or those of the pipe to it.
LOST = (ConnectionError, EOFError, RuntimeError)


class Batches:
    """Batches by epoch and number. They do not depend on what was loaded before.

    So loading processes that died are replaced, at most `RESTARTS` times in an epoch, and the epoch
    continues with the batch that is missing.
    """

    def __init__(self, open_loader: Callable[[], DataLoader[Crop]]) -> None:
        self._open_loader = open_loader
        self._loader = open_loader()

    def close(self) -> None:
        """End the loading processes.

        They ignore the signals that Python sends them at its end, and it would wait for them.
        """
        self._loader = self._open_loader()  # which starts none before it is iterated

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self._sampler.epoch_batches

    @property
    def batch_size(self) -> int:
        """Crops in a batch."""
        return self._sampler.batch_size

    def draws(self, epoch: int, batch: int) -> list[int]:
        """The draw numbers of one batch, epochs counted from 1."""
        return self._sampler.draws(epoch - 1, batch)

    def cut(self, draws: list[int]) -> Crop:
        """A batch by its draw numbers."""
        return collated([self._loader.dataset[draw] for draw in draws])

    def of_epoch(self, epoch: int, start: int) -> Iterator[Crop]:
        """The batches of an epoch, counted from 1, from batch number `start`, counted from 0.

        Raises:
            DataError: a tile cannot be read any more, or the loading processes keep dying.
        """
        restarts = 0
        while start < len(self):
            try:
                for batch in self._iterate(epoch, start):
                    yield batch
                    start += 1
            except LOST as error:
                restarts += 1
                self._restart(error, restarts)
            except (RoadexError, OSError) as error:
                raise DataError(_last_line(error)) from error

    @property
    def _sampler(self) -> DrawSampler:
        sampler = self._loader.batch_sampler
        assert isinstance(sampler, DrawSampler)
        return sampler

    def _iterate(self, epoch: int, start: int) -> Iterator[Crop]:
        self._sampler.epoch, self._sampler.start = epoch - 1, start
        iterator = iter(self._loader)
        if self._loader.num_workers and threading.current_thread() is threading.main_thread():
            # When a loading process dies, PyTorch's handler raises anywhere, even in the middle of
            # a step. Without the handler the next fetch notices.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return iterator

    def _restart(self, error: Exception, restarts: int) -> None:
        if isinstance(error, RuntimeError) and "DataLoader worker" not in str(error):
            raise error
        if restarts > RESTARTS:
            raise DataError(
                f"the processes that load crops keep dying ({_last_line(error)}): lower "
                "trainer.num_workers, 0 needs none; the same command continues"
            ) from error
        log.warning("a process that loads crops died (%s): starting new ones", _last_line(error))
        self._loader = self._open_loader()


def _last_line(error: BaseException) -> str:
    """The last line of an error that a loading process wrapped in its traceback."""
    line = (str(error).strip() or type(error).__name__).splitlines()[-1]
    return line.removeprefix(f"{RoadexError.__module__}.{type(error).__name__}: ")


@contextmanager
def explain_memory(remedy: str) -> Iterator[None]:
    """Say what to set if the block needs more memory than there is.

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


@contextmanager
def explain_batch_norm() -> Iterator[None]:
    """Say what to set if a batch norm of the block has a single value in each channel.

    Raises:
        RoadexError: the batch has too few crops, or too small ones, for the model.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise RoadexError(
            "batch norm needs more than one value in each channel: train on more crops at a time "
            "(trainer.batch_size, from as many tiles) or on larger ones (dataset.crop)"
        ) from error


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
