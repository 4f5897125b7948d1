"""Workers that are jobs of a SLURM queue, through dask-jobqueue."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from roadex.config.predict import SlurmConfig
from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.prediction.memory import WORKER_ENVIRONMENT


@contextmanager
def slurm_client(settings: SlurmConfig, workers: int) -> Iterator[Any]:
    """A Dask client whose workers are jobs of one process each.

    Jobs that end before the work, killed or out of time, are requeued.

    Raises:
        RoadexError: the extra `cluster` or sbatch is missing, or the queue refuses such jobs.
    """
    try:
        import dask_jobqueue
        import distributed
    except ImportError as error:
        raise RoadexError(
            f"cluster=slurm needs dask-jobqueue: {install_line('cluster')}"
        ) from error
    if shutil.which("sbatch") is None:
        raise RoadexError(
            "cluster=slurm: there is no sbatch here; start it on a machine that submits to SLURM"
        )
    logging.getLogger("distributed.deploy.adaptive").setLevel(logging.ERROR)
    jobqueue: Any = dask_jobqueue
    dask: Any = distributed
    with jobqueue.SLURMCluster(**_options(settings)) as cluster:
        _require_accepted(cluster.job_script())
        cluster.adapt(minimum_jobs=workers, maximum_jobs=workers)
        with dask.Client(cluster) as client:
            yield client


def _options(settings: SlurmConfig) -> dict[str, Any]:
    directives = list(settings.directives)
    if settings.gpu:
        directives.append("--gres=gpu:1")
    return {
        "cores": 1,
        "processes": 1,
        "memory": settings.memory,
        "walltime": settings.walltime,
        "queue": settings.partition,
        "account": settings.account,
        "interface": settings.interface,
        "job_name": "roadex",
        "job_extra_directives": directives,
        # SLURM limits the memory; Dask would also count the pages of mapped files.
        "worker_extra_args": ["--memory-limit", "0"],
        "job_script_prologue": [f"export {k}={v}" for k, v in WORKER_ENVIRONMENT.items()],
        "log_directory": settings.logs,
        "scheduler_options": {"dashboard_address": ":0"},
    }


def _require_accepted(script: str) -> None:
    """Check that the queue would take a job.

    Raises:
        RoadexError: it would not.
    """
    done = subprocess.run(["sbatch", "--test-only"], input=script, capture_output=True, text=True)
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = said[-1] if said else f"sbatch ended with {done.returncode}"
        raise RoadexError(f"cluster=slurm: SLURM refuses such jobs ({reason}); see slurm.*")
