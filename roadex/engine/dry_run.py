"""One batch of everything, to see before a long training that all of it works."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path

from roadex.config.train import TrainConfig
from roadex.engine.distributed import Group
from roadex.engine.signals import StopSignals
from roadex.engine.training import fit
from roadex.runs.folder import RunFolder

log = logging.getLogger(__name__)


def dry_run(config: TrainConfig, stop: StopSignals, group: Group | None = None) -> None:
    """Learn one batch, save, validate one tile, test one, draw it; nothing of it is kept.

    Raises:
        RoadexError: what the training itself would be refused for.
    """
    with tempfile.TemporaryDirectory(prefix="roadex-dry-run-") as folder:
        run = RunFolder(Path(folder), shortest(config), writes=group is None or group.leads)
        fit(run.config, run, stop, group or Group())
    log.info("dry run: one batch of everything works; nothing of it is kept")


def shortest(config: TrainConfig) -> TrainConfig:
    """The same training, a batch long and told to no one."""
    trainer = replace(
        config.trainer, epochs=1, overfit_batches=1, save_steps=1, validate_every=1, overlays=1
    )
    return replace(config, trainer=trainer, tracking=replace(config.tracking, mode="disabled"))
