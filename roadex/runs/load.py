"""A trained model from whatever holds one: a checkpoint file or an exported folder."""

from __future__ import annotations

from pathlib import Path

from roadex.errors import RoadexError
from roadex.runs import names
from roadex.runs.checkpoint import Checkpoint, read_checkpoint
from roadex.runs.exported import DESCRIPTION, OnnxCheckpoint, load_exported

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
    file = checkpoint_file(path)
    return load_exported(file.parent) if file.name == DESCRIPTION else read_checkpoint(file)


def checkpoint_file(path: str | Path) -> Path:
    """The file that tells which model `load_checkpoint` reads.

    That is the checkpoint itself, a run's best one, or the description in an exported folder.

    Raises:
        RoadexError: a file of an exported folder, which means nothing alone.
    """
    path = Path(path)
    if path.suffix in _PARTS and path.is_file():
        raise RoadexError(f"checkpoint={path}: give the folder that it lies in: {path.parent}")
    if not path.is_dir():
        return path
    best = path / names.CHECKPOINTS / names.BEST
    return best if best.is_file() else path / DESCRIPTION


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
