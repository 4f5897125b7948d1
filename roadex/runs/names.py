"""The names of what a run folder holds."""

from __future__ import annotations

import shutil
from pathlib import Path

CONFIG = "config.yaml"
OVERRIDES = "overrides.yaml"
ENVIRONMENT = "environment.json"
# Written last: a run that has it is finished.
METRICS = "metrics.json"
HISTORY = "history.csv"
# The scores of each test tile.
TILES = "graphs.csv"
CHECKPOINTS = "checkpoints"
BEST = "best.pt"
LAST = "last.pt"
# Below CHECKPOINTS: what an unfinished run continues from.
SNAPSHOTS = "resume"
OVERLAYS = "overlays"
# What a run folder holds before anything has been made, without suffixes.
RECORDS = {"train", "config", "overrides", "environment"}


def discard_unused(folder: Path) -> None:
    """Remove the run folder of a run that ended before it made anything."""
    if not folder.is_dir():
        return
    names = {path.name for path in folder.iterdir()}
    if folder != Path.cwd() and all(Path(name).stem in RECORDS for name in names):
        shutil.rmtree(folder)
        for parent in list(folder.parents)[:2]:
            if parent != Path.cwd() and not any(parent.iterdir()):
                parent.rmdir()
