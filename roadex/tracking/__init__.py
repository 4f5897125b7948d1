"""Where a run's figures and pictures go besides its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from roadex.config.tracking import TrackingConfig
from roadex.errors import PREEMPTED, Preempted
from roadex.tracking.tracker import NoTracker, Tracker

log = logging.getLogger(__name__)


@contextmanager
def open_tracker(
    config: TrackingConfig, settings: dict[str, Any], folder: Path, job_type: str
) -> Iterator[Tracker]:
    """The tracker of `tracking.mode`, ended with the block.

    Args:
        settings: the whole configuration as plain values.
        folder: the run folder, in which W&B keeps its files.
    """
    if config.mode == "disabled":
        yield NoTracker()
        return
    from roadex.tracking.wandb_tracker import WandbTracker  # wandb takes a second to import

    try:
        tracker = WandbTracker(config, settings, folder, job_type)
    except Exception as error:  # no account, no network, a full disk: none may stop a training
        log.warning("Weights & Biases could not start (%s): going on without it", error)
        yield NoTracker()
        return
    try:
        yield tracker
    except BaseException as error:
        tracker.finish(exit_code=PREEMPTED if isinstance(error, Preempted) else 1)
        raise
    tracker.finish(exit_code=0)
