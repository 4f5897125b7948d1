"""Work on many tiles in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import TypeVar

import cv2
from tqdm import tqdm

from roadex.errors import RoadexError

Result = TypeVar("Result")
_PATIENCE_S = 5.0
_WAITING = 4  # tasks per process handed out at once, so that results do not pile up


def over_tiles(
    work: Callable[[str], Result], names: list[str], workers: int, what: str
) -> Iterator[tuple[str, Result]]:
    """Each name with its result, as they come, under a progress bar on terminals.

    Args:
        workers: processes; 0 takes one per core.
        what: what is done, for the bar.

    Raises:
        RoadexError: one of the processes was ended from outside.
    """
    workers = min(workers or os.cpu_count() or 1, len(names))
    few = workers <= 1 or len(names) < 4
    seen: set[BaseProcess] = set()
    finished = ((n, work(n)) for n in names) if few else _parallel(work, names, workers, seen)
    try:
        yield from tqdm(finished, total=len(names), desc=what, unit="tile", disable=None)
    except BrokenProcessPool as error:
        raise RoadexError(f"{what}: {_cause(seen, workers)}") from error


def _cause(processes: set[BaseProcess], workers: int) -> str:
    """Why a pool is broken: a process of it was killed, or ended by itself, as at an import."""
    for process in processes:
        process.join(_PATIENCE_S)
    codes = [process.exitcode for process in processes]
    own = [code for code in codes if code is not None and code > 0]
    if own and -signal.SIGKILL not in codes:
        return (
            f"one of {workers} processes ended by itself (exit code {own[0]}), and said why above; "
            "a script that calls roadex needs `if __name__ == '__main__':`"
        )
    return (
        f"one of {workers} processes was ended from outside, perhaps for want of memory; run it "
        "again with fewer workers, what is done is kept"
    )


def _parallel(
    work: Callable[[str], Result], names: list[str], workers: int, seen: set[BaseProcess]
) -> Iterator[tuple[str, Result]]:
    """Spawned, since a fork of a process with threads may hang; `seen` takes the processes."""
    context = multiprocessing.get_context("spawn")
    todo = iter(names)
    running: dict[Future[Result], str] = {}
    with ProcessPoolExecutor(workers, context, initializer=settle_in) as pool:
        try:
            for name in todo:
                running[pool.submit(work, name)] = name
                seen.update(multiprocessing.active_children())
                if len(running) >= _WAITING * workers:
                    yield from _finished(running)
            while running:
                yield from _finished(running)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def settle_in() -> None:
    """Set up a process of a pool: one core, and it ends when its parent ends, even if killed."""
    cv2.setNumThreads(1)
    # tqdm's own lock is one for several processes, whose semaphore a kill would leave behind.
    tqdm.set_lock(threading.RLock())
    threading.Thread(target=_end_with_parent, daemon=True).start()


def settle_in_deaf() -> None:
    """Leave signals to the parent, too: a scheduler sends them to the whole group."""
    settle_in()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)


def _end_with_parent() -> None:
    """Without this, a pool whose parent was killed would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _finished(running: dict[Future[Result], str]) -> Iterator[tuple[str, Result]]:
    """Those that are done, at least one, taken out of `running`."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        yield running.pop(future), future.result()
