"""Which GPUs a training of a sweep sees, decided before its process starts.

A slot is a share of a GPU, or of several for a training of several processes. Whoever trains holds
a lock on its slot, which the system releases in any case when the process ends; so two sweeps of
one user do not share a GPU either.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from omegaconf import OmegaConf

from roadex.config.sweep import SweepConfig
from roadex.errors import RoadexError

POLL_SECONDS = 1.0


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them; CUDA stays off."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


def gpu_groups(settings: SweepConfig) -> list[str]:
    """The GPUs of each training that runs at once: "0", "1", ... or "0,1", "2,3", ...

    Raises:
        RoadexError: a training needs more GPUs than there are.
    """
    gpus, each = visible_gpus(), settings.processes
    if gpus and each > len(gpus):
        raise RoadexError(f"sweep.processes={each}: this machine has {len(gpus)} GPUs for them")
    return [",".join(gpus[i : i + each]) for i in range(0, len(gpus) - each + 1, each)]


def parallel_jobs(settings: SweepConfig) -> int:
    """How many trainings this machine runs at once."""
    return settings.per_gpu * len(gpu_groups(settings)) or settings.cpu_jobs


@contextmanager
def gpu_slot(settings: SweepConfig) -> Iterator[str | None]:
    """Wait for a slot and hold it; gives CUDA_VISIBLE_DEVICES, None on a machine without GPUs."""
    groups = gpu_groups(settings)
    if not groups:
        yield None
        return
    folder = Path(tempfile.gettempdir()) / f"roadex-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    slots = [(group, folder / f"{group}.{n}") for n in range(settings.per_gpu) for group in groups]
    group, lock = _free_slot(slots)
    try:
        yield group
    finally:
        lock.release()


def _free_slot(slots: list[tuple[str, Path]]) -> tuple[str, FileLock]:
    """The GPUs of the first free slot, and the lock that now holds it."""
    while True:
        for group, path in slots:
            lock = FileLock(path, blocking=False)
            with suppress(Timeout):
                lock.acquire()
                return group, lock
        time.sleep(POLL_SECONDS)


def _parallel_jobs(per_gpu: int, cpu_jobs: int, processes: int) -> int:
    return parallel_jobs(SweepConfig(per_gpu=per_gpu, cpu_jobs=cpu_jobs, processes=processes))


# For conf/hydra/launcher/gpus.yaml.
OmegaConf.register_new_resolver("parallel_jobs", _parallel_jobs, replace=True)
