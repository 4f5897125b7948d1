"""Hydra's SLURM launcher, which goes on waiting for the other jobs when one dies."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher as HydraLauncher

from roadex.errors import RoadexError

POLL_SECONDS = 5.0
# A job that has left the queue without a result: its files may come late over the network.
GRACE_SECONDS = 30.0


class JobArray(HydraLauncher):  # type: ignore[misc]
    """Submits the trainings of a sweep as one job array, and waits for all of them.

    Before the time limit, and when SLURM preempts it, a training is saved and queued again.
    """

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Submit the jobs, and wait until each has ended or failed.

        Raises:
            RoadexError: SLURM is not there, or refuses the array.
        """
        if shutil.which("sbatch") is None:
            raise RoadexError(
                "hydra/launcher=slurm: there is no sbatch here; start the sweep on a machine that "
                "submits to SLURM, or choose hydra/launcher=gpus"
            )
        # The trainings save themselves on this signal, too (roadex/engine/signals.py).
        os.environ["SUBMITIT_PREEMPT_SIGNAL"] = "USR1"
        jobs = self._submit(job_overrides, initial_job_idx)
        return [self._outcome(job) for job in jobs]

    def _submit(self, job_overrides: Sequence[Sequence[str]], first: int) -> list[Any]:
        import submitit

        state = Singleton.get_state()
        calls = [
            (list(overrides), "hydra.sweep.dir", first + index, f"job_{first + index}", state)
            for index, overrides in enumerate(job_overrides)
        ]
        try:
            executor = self._executor()
            return list(executor.map_array(self, *zip(*calls, strict=True)))
        except (submitit.core.utils.FailedJobError, subprocess.SubprocessError) as error:
            reason = [line for line in str(error).splitlines() if line.strip()][-1].strip()
            raise RoadexError(f"hydra/launcher=slurm: SLURM refuses the jobs ({reason})") from error

    def _executor(self) -> Any:
        import submitit

        own = {"submitit_folder", "max_num_timeout"}
        common = set(BaseQueueConf.__dataclass_fields__)
        executor = submitit.AutoExecutor(
            folder=self.params["submitit_folder"],
            cluster="slurm",
            slurm_max_num_timeout=self.params["max_num_timeout"],
        )
        executor.update_parameters(
            **{
                key if key in common else f"slurm_{key}": value
                for key, value in self.params.items()
                if key not in own
            }
        )
        return executor

    def _outcome(self, job: Any) -> JobReturn:
        """Wait until a job has ended. The record of its training says how it ended."""
        result, gone_since = job.paths.result_pickle, None
        while not result.exists():
            if queued(job.job_id):
                gone_since = None
            elif gone_since is None:
                gone_since = time.monotonic()
            elif time.monotonic() - gone_since > GRACE_SECONDS:
                return JobReturn(status=JobStatus.FAILED)
            time.sleep(POLL_SECONDS)
        return JobReturn(status=JobStatus.COMPLETED)


def queued(job_id: str) -> bool:
    """Whether SLURM still has a job, waiting or running; assumed if SLURM does not answer."""
    query = ["squeue", "--noheader", "--format=%T", f"--jobs={job_id}"]
    done = subprocess.run(query, capture_output=True, text=True)
    if done.returncode != 0:
        return "Invalid job id" not in done.stderr
    return bool(done.stdout.split())
