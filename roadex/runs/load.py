"""A trained model from whatever holds one: a checkpoint file or an exported folder."""

from __future__ import annotations

from pathlib import Path

from roadex.runs.checkpoint import Checkpoint, read_checkpoint
from roadex.runs.exported import load_exported


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a trained model onto the CPU. Only tensors and plain values are ever unpickled.

    Args:
        path: a checkpoint file, or a folder that `python -m roadex.export` wrote.

    Raises:
        RoadexError: no such file, a damaged one, or not one of ours.
    """
    if Path(path).is_dir():
        return load_exported(Path(path))
    return read_checkpoint(path)
