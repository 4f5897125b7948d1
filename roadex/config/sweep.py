"""Schema of the settings of a sweep: `python -m roadex.train -m ... sweep.KEY=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass

from roadex.config.limits import bounded


@dataclass
class SweepConfig:
    """How the trainings of a sweep are run; none of it changes what they learn."""

    # Print the trainings, what is finished and how long the rest will take; start nothing.
    dry_run: bool = False
    # Trainings at once on each GPU, and on a machine without any (hydra/launcher=gpus).
    per_gpu: int = bounded(1, least=1)
    cpu_jobs: int = bounded(1, least=1)
    # Processes of each training, one GPU each: more than one are started by torchrun.
    processes: int = bounded(1, least=1)
    # Continue a sweep that another version of the code has begun.
    any_version: bool = False
