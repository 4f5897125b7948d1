"""The command `python -m roadex.train`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hydra_plugins.roadex import register
from roadex.command.frame import command
from roadex.config.train import TrainConfig
from roadex.metrics.tables import describe
from roadex.sweep.process import in_sweep, run_job

if TYPE_CHECKING:
    from roadex.engine.distributed import Group
    from roadex.engine.signals import StopSignals
    from roadex.runs.folder import RunFolder

register()
log = logging.getLogger(__name__)


@command("train")
def main(config: TrainConfig) -> None:
    """Train a model that finds roads, and score the road graphs that it draws.

    Writes RUN/checkpoints/{best,last}.pt, RUN/metrics.json (test scores), RUN/history.csv and
    RUN/overlays (pictures). The threshold is chosen on the validation split.

    Examples:
      python -m roadex.train experiment=quickstart
      python -m roadex.train dataset=deepglobe dataset.root=DIR model.stacks=2
      python -m roadex.train dataset=folder dataset.images=DIR dataset.masks=DIR dataset.gsd=0.5 \\
          backbone=timm backbone.name=convnext_tiny model.global_aware=spatial
      python -m roadex.train resume=RUN
      python -m roadex.train dataset=deepglobe dataset.root=DIR trainer.dry_run=true
      python -m roadex.train dataset=deepglobe dataset.root=DIR trainer.find_lr=200
      torchrun --nproc-per-node 4 -m roadex.train experiment=quickstart
      python -m roadex.train -m experiment=ablation/stacks seed=0,1,2 hydra/launcher=gpus

    A training that was interrupted continues when the same command is given again, and so does a
    sweep (-m): what is finished is skipped. sweep.dry_run=true only lists what there is to do.
    """
    if in_sweep():
        run_job(config.sweep)
        return
    from roadex.engine.before_training import dry_run
    from roadex.engine.distributed import (
        join_run,
        open_group,  # torch takes seconds, --help should not
    )
    from roadex.engine.signals import StopSignals

    with StopSignals() as stop, open_group() as group:
        if config.trainer.dry_run:
            dry_run(config, stop, group)
            return
        with join_run(config, group) as run:
            log.info("run folder %s", run.path)
            if group.any(run.finished):
                log.info("this run is finished; resume=never trains again in another folder")
            else:
                _train(run, stop, group)


def _train(run: RunFolder, stop: StopSignals, group: Group) -> None:
    from roadex.engine.before_training import find_lr
    from roadex.engine.training import fit

    if run.config.trainer.find_lr:
        find_lr(run, stop, group)
        return
    metrics = fit(run.config, run, stop, group)
    if metrics is None:
        return
    log.info("%s", describe(metrics, "test"))
    log.info("scores in %s, pictures in %s", run.path / "metrics.json", run.overlays)


if __name__ == "__main__":
    main()
