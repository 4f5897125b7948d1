"""Processes that decode and score road graphs while the model goes on."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from typing import TypeVar

from roadex.data.parallel import settle_in
from roadex.errors import RoadexError

Result = TypeVar("Result")
Task = Callable[[], Result]


class Scorers:
    """Runs tasks beside the caller, in the order given; with no processes, when asked for.

    The processes are spawned at the first task, since a fork of one with threads may hang. They
    import what the tasks name, which should not need torch.
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def start(self, tasks: Sequence[Task[Result]]) -> Callable[[], list[Result]]:
        """Begin the tasks; what is returned waits for their results, in order.

        Raises (from what is returned):
            RoadexError: a process died.
        """
        if not self.processes:
            return lambda: [task() for task in tasks]
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.processes, context, initializer=_settle_in)
        futures = [self._pool.submit(task) for task in tasks]
        return lambda: [_result(future) for future in futures]

    def __enter__(self) -> Scorers:
        """Nothing yet: see `start`."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes."""
        self.close()

    def close(self) -> None:
        """End the processes; tasks that have not begun are dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _result(future: Future[Result]) -> Result:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise RoadexError(
            "a process that scores graphs died, perhaps for want of memory: set trainer.scorers=0"
        ) from error


def _settle_in() -> None:
    """Leave signals to the parent, too."""
    settle_in()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
