"""A trained model from whatever holds one: a checkpoint file or an exported folder."""

from __future__ import annotations

from pathlib import Path

from roadex.errors import RoadexError
from roadex.runs import names
from roadex.runs.checkpoint import Checkpoint, read_checkpoint
from roadex.runs.exported import OnnxCheckpoint, load_exported

# Files of an exported folder, which mean nothing alone.
_PARTS = (".onnx", ".safetensors")


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a trained model onto the CPU. Only tensors and plain values are ever unpickled.

    Args:
        path: a checkpoint file, the folder of a run (its best checkpoint), or a folder that
            `python -m roadex.export` wrote.

    Raises:
        RoadexError: no such file, a damaged one, or not one of ours.
    """
    path = Path(path)
    if path.suffix in _PARTS and path.is_file():
        raise RoadexError(f"checkpoint={path}: give the folder that it lies in: {path.parent}")
    best = path / names.CHECKPOINTS / names.BEST
    if path.is_dir() and not best.is_file():
        return load_exported(path)
    return read_checkpoint(best if path.is_dir() else path)


def load_trainable(path: str | Path, key: str) -> Checkpoint:
    """The same, of weights that a training can start from; `key` is the setting that names them.

    Raises:
        RoadexError: the weights are in an ONNX file.
    """
    checkpoint = load_checkpoint(path)
    if isinstance(checkpoint, OnnxCheckpoint):
        raise RoadexError(
            f"{key}={path}: an ONNX file can be used but not trained: give the checkpoint that it "
            "was exported from, or export with format=safetensors"
        )
    return checkpoint
