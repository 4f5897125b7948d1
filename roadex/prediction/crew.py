"""Where the work on blocks runs: in this process, or on the workers of a Dask cluster."""

from __future__ import annotations

import logging
import pydoc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

from tqdm import tqdm

from roadex import __version__
from roadex.config.predict import SlurmConfig
from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.prediction.memory import WORKER_ENVIRONMENT, return_freed_memory
from roadex.prediction.slurm_workers import slurm_client

NONE, LOCAL, SLURM = "none", "local", "slurm"
# How often a block that raised an exception is tried again.
_RETRIES = 2
# How often items are sent again whose shared data were lost with the last worker that had them.
_ROUNDS = 5
_GONE = ("cancelled", "lost")
_WAIT_S = 20
Item = tuple[int, int]
Done = Callable[[Item, Any], None]


def _forgotten(item: Item, found: Any) -> None:
    """A result that was not asked for."""


@dataclass(frozen=True)
class Task:
    """The work on every item.

    Attributes:
        name: for the progress bar.
        run: called with an item, and with `shared` if there is any.
        shared: an argument of every call, sent to each worker once.
        done: takes every item and what its call returned, in this process.
    """

    name: str
    run: Callable[..., Any]
    shared: Any = None
    done: Done = _forgotten

    def bar(self, items: Sequence[Item]) -> Any:
        """A progress bar of the items."""
        return tqdm(total=len(items), desc=self.name, unit="block", leave=False, disable=None)


class Crew(Protocol):
    """Runs tasks on every item."""

    @property
    def is_many(self) -> bool:
        """Whether other processes do the work, so that it has to be cut into blocks."""

    def each(self, task: Task, items: Sequence[Item]) -> dict[Item, str]:
        """Do a task with every item; returns the items that failed finally, and why."""

    def report(self, area_km2: float) -> list[str]:
        """A line for each worker on its work since the last call, on an area of that size."""


class Alone:
    """This process, one item after the other; an error ends it."""

    is_many = False

    def each(self, task: Task, items: Sequence[Item]) -> dict[Item, str]:
        """See `Crew.each`."""
        shared = () if task.shared is None else (task.shared,)
        with task.bar(items) as progress:
            for item in items:
                task.done(item, task.run(item, *shared))
                return_freed_memory()
                progress.update()
        return {}

    def report(self, area_km2: float) -> list[str]:
        """See `Crew.report`: empty, since the summary has it."""
        return []


@dataclass(frozen=True)
class DaskCrew:
    """The workers of a Dask cluster.

    Attributes:
        client: of `distributed`.
        spent: the seconds of each item by the name of the worker that did it.
    """

    client: Any
    is_many: bool = True
    spent: dict[str, list[float]] = field(default_factory=dict)

    def each(self, task: Task, items: Sequence[Item]) -> dict[Item, str]:
        """See `Crew.each`; other workers do the items of a lost one."""
        left, failed = list(items), dict[Item, str]()
        with task.bar(items) as progress:
            for _ in range(_ROUNDS):
                if not left:
                    break
                again = []
                for item, future in self._round(task, left):
                    if future.status == "finished":
                        worker, seconds, found = future.result()
                        self.spent.setdefault(worker, []).append(seconds)
                        task.done(item, found)
                        failed.pop(item, None)
                        progress.update()
                        continue
                    failed[item] = _reason(future)
                    if future.status in _GONE:
                        again.append(item)
                left = again
        return failed

    def report(self, area_km2: float) -> list[str]:
        """See `Crew.report`; the area of a worker is its share of the blocks."""
        blocks = sum(map(len, self.spent.values()))
        lines = []
        for worker, seconds in sorted(self.spent.items()):
            rate = area_km2 * len(seconds) / blocks / max(sum(seconds), 1e-9) * 3600
            lines.append(
                f"worker {worker}: {len(seconds)} blocks in {sum(seconds):.1f} s ({rate:.1f} km2/h)"
            )
        self.spent.clear()
        return lines

    def _round(self, task: Task, items: list[Item]) -> Iterator[tuple[Item, Any]]:
        """Items and their results, as they end."""
        as_completed: Any = _distributed().as_completed
        shared = () if task.shared is None else (self._sent(task.shared),)
        futures = {
            self.client.submit(_tidily, task.run, item, *shared, retries=_RETRIES, pure=False): item
            for item in items
        }
        for future in as_completed(list(futures)):
            yield futures.pop(future), future
            future.release()

    def _sent(self, shared: Any) -> Any:
        """What every call needs, on each worker.

        Under a name of its own: what is sent again under one whose last holder is just being let
        go is at times let go with it, and waited for in vain.
        """
        (sent,) = self.client.scatter([shared], broadcast=True, hash=False)
        return sent


def _tidily(run: Callable[..., Any], *arguments: Any) -> tuple[str, float, Any]:
    """The worker's name, its seconds and the result of a call; freed memory is returned."""
    from distributed import get_worker

    started = time.perf_counter()
    result = run(*arguments)
    return_freed_memory()
    return str(get_worker().name), time.perf_counter() - started, result


def _reason(future: Any) -> str:
    """Why a call failed, in one line."""
    try:
        error = future.exception(timeout=_WAIT_S)
    except Exception as lost:  # a cancelled future raises of many kinds
        error = lost
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def crew_of(
    cluster: str, workers: int, tell: Callable[[str], None], slurm: SlurmConfig | None = None
) -> Iterator[Crew]:
    """The crew of `cluster=` and `workers=`.

    Args:
        cluster: "none" (this process), "local" (processes of this machine), "slurm" (jobs of its
            queue), or the address of a Dask scheduler, tcp://HOST:PORT.
        workers: processes or jobs to start, or workers of a scheduler to wait for.

    Raises:
        RoadexError: the extra `cluster` is missing; no scheduler answers, its workers are of
            another version, or the queue refuses the jobs or lets them wait.
    """
    if cluster == NONE:
        yield Alone()
        return
    if cluster not in (LOCAL, SLURM) and "://" not in cluster:
        raise RoadexError(f"cluster={cluster}: choose none, local, slurm or tcp://HOST:PORT")
    distributed = _distributed()
    slurm = slurm or SlurmConfig()
    # Of a queue only the first job is waited for; later ones find work left.
    awaited, wait_s = (1, 60 * slurm.wait_min) if cluster == SLURM else (workers, 3.0 * _WAIT_S)
    with _client(distributed, cluster, workers, slurm) as client:
        _check(client, cluster, awaited, wait_s)
        tell(f"cluster={cluster}: {_count(client)} workers, {client.dashboard_link}")
        yield DaskCrew(client)


def _distributed() -> ModuleType:
    try:
        import distributed
    except ImportError as error:
        raise RoadexError(
            f"cluster= needs dask and distributed: {install_line('cluster')}"
        ) from error
    for name in ("distributed", "distributed.nanny", "distributed.scheduler"):
        logging.getLogger(name).setLevel(logging.ERROR)
    result: ModuleType = distributed
    return result


@contextmanager
def _client(
    distributed: ModuleType, cluster: str, workers: int, slurm: SlurmConfig
) -> Iterator[Any]:
    if cluster == SLURM:
        with slurm_client(slurm, workers) as client:
            yield client
        return
    if cluster == LOCAL:
        options = {"n_workers": workers, "threads_per_worker": 1, "memory_limit": 0}
        settings = "distributed.nanny.pre-spawn-environ."
        with (
            _dask_config({settings + name: value for name, value in WORKER_ENVIRONMENT.items()}),
            distributed.LocalCluster(**options, host="127.0.0.1", dashboard_address=":0") as local,
            distributed.Client(local) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(cluster, timeout=_WAIT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise RoadexError(
            f"cluster={cluster}: no scheduler answers; start one (dask scheduler), or check the "
            "address"
        ) from error
    with client:
        yield client


def _dask_config(settings: dict[str, str]) -> Any:
    """Dask's configuration with some settings changed, while it is open."""
    import dask

    return dask.config.set(settings)


def _count(client: Any) -> int:
    return len(client.scheduler_info(n_workers=-1)["workers"])


def _check(client: Any, cluster: str, workers: int, wait_s: float) -> None:
    """Wait for workers, and check that they have this version of roadex."""
    try:
        client.wait_for_workers(workers, timeout=wait_s)
    except TimeoutError as error:
        if cluster == SLURM:
            raise RoadexError(
                f"cluster=slurm: no job began within {wait_s / 60:g} minutes; see squeue, or give "
                "them longer, slurm.wait_min="
            ) from error
        raise RoadexError(
            f"cluster={cluster}: {_count(client)} workers there, of workers={workers}; start more "
            "(dask worker ADDRESS)"
        ) from error
    # Asked for through the standard library: another version may have no module of this name.
    for address, version in client.run(pydoc.locate, "roadex.__version__").items():
        if version != __version__:
            found = f"roadex {version}" if isinstance(version, str) else "no roadex"
            raise RoadexError(
                f"cluster={cluster}: the worker {address} has {found}, this is {__version__}; "
                "install the same"
            )
