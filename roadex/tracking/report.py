"""A finished report in W&B: its tables, and all of its files as an artifact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from roadex.config.tracking import TrackingConfig
from roadex.tracking import open_tracker


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
