"""Where a run's figures and pictures go besides its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from roadex.config.tracking import TrackingConfig
from roadex.errors import PREEMPTED, Preempted
from roadex.tracking.csv_tracker import CsvTracker
from roadex.tracking.tracker import ClosableTracker, GuardedTracker, NoTracker, Tracker, in_one_line

log = logging.getLogger(__name__)
_NAMES = {"wandb": "Weights & Biases", "tensorboard": "TensorBoard", "csv": "the CSV tracker"}


@contextmanager
def open_tracker(
    config: TrackingConfig, settings: dict[str, Any], folder: Path, job_type: str
) -> Iterator[Tracker]:
    """The tracker of `tracking.kind` in its `mode`, ended with the block.

    Args:
        settings: the whole configuration as plain values.
        folder: the run folder, in which W&B keeps its files.
    """
    if config.mode == "disabled":
        yield NoTracker()
        return
    name = _NAMES[config.kind]
    try:
        tracker = GuardedTracker(
            _start(config, settings, folder, job_type), name, config.patience_s
        )
    except Preempted:
        _end_helper(config)
        raise
    except Exception as error:  # no account, no connection, a full disk: none may stop a training
        log.warning("%s could not start (%s): going on without it", name, in_one_line(error))
        yield NoTracker()
        return
    try:
        yield tracker
    except BaseException as error:
        _end(config, tracker, PREEMPTED if isinstance(error, Preempted) else 1)
        raise
    _end(config, tracker, 0)


def _start(
    config: TrackingConfig, settings: dict[str, Any], folder: Path, job_type: str
) -> ClosableTracker:
    """The tracker of `tracking.kind`; its library is imported here, since that takes a second."""
    if config.kind == "csv":
        return CsvTracker(folder)
    if config.kind == "tensorboard":
        from roadex.tracking.tensorboard_tracker import TensorboardTracker

        return TensorboardTracker(folder, settings)
    from roadex.tracking.wandb_tracker import WandbTracker

    return WandbTracker(config, settings, folder, job_type)


def _end(config: TrackingConfig, tracker: GuardedTracker, exit_code: int) -> None:
    if not tracker.finish(exit_code):
        _end_helper(config)


def _end_helper(config: TrackingConfig) -> None:
    if config.kind == "wandb":
        from roadex.tracking.wandb_tracker import end_service

        end_service()


def track_report(
    config: TrackingConfig,
    settings: dict[str, Any],
    folder: Path,
    tables: Mapping[str, Sequence[Sequence[str]]],
) -> None:
    """Log tables, each a head and rows, and the files of the report's folder.

    Args:
        settings: the report's own, with its `name`.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file())
    with open_tracker(config, settings, folder, "report") as tracker:
        for key, (head, *rows) in tables.items():
            lines = [dict(zip(head, row, strict=True)) for row in rows]
            tracker.table(f"report/{key}", lines, step=0)
        tracker.artifact(f"report-{settings['name']}", "report", files)
