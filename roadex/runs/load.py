"""A trained model from whatever holds one: a checkpoint file, or a folder that export wrote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from roadex.config.schemas import restore_training
from roadex.errors import RoadexError
from roadex.extras import install_line
from roadex.models.contract import Logits, pad_to_multiple
from roadex.models.registry import build_pair_head
from roadex.runs import names
from roadex.runs.checkpoint import Checkpoint, read_checkpoint, unusable

# Files of an exported folder, which cannot be used alone.
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
    """The file that identifies the model which `load_checkpoint` reads.

    That is the checkpoint itself, a run's best one, or the description in an exported folder.

    Raises:
        RoadexError: a file of an exported folder, which cannot be used alone.
    """
    path = Path(path)
    if path.suffix in _PARTS and path.is_file():
        raise RoadexError(f"checkpoint={path}: give the folder that it lies in: {path.parent}")
    if not path.is_dir():
        return path
    best = path / names.CHECKPOINTS / names.BEST
    return best if best.is_file() else path / DESCRIPTION


def load_trainable(path: str | Path, key: str) -> Checkpoint:
    """The same, for weights that a training can start from; `key` is the setting that names them.

    Raises:
        RoadexError: as `load_checkpoint`, or the weights are in an ONNX file.
    """
    try:
        checkpoint = load_checkpoint(path)
    except RoadexError as error:
        raise RoadexError(f"{key}={str(error).removeprefix('checkpoint=')}") from error
    if isinstance(checkpoint, OnnxCheckpoint):
        raise RoadexError(
            f"{key}={path}: an ONNX file can be used but not trained: give the checkpoint that it "
            "was exported from, or export with format=safetensors"
        )
    return checkpoint


DESCRIPTION = "roadex.json"
# Beside an ONNX file: the head that classifies pairs of vertices.
PAIR_HEAD = "pair_head.safetensors"
FORMAT = 1


@dataclass(frozen=True)
class OnnxCheckpoint(Checkpoint):
    """A trained model that ONNX Runtime executes; it can be used but not trained."""

    file: Path = Path()
    multiple: int = 1

    def build(self) -> nn.Module:
        """The model, for the CPU."""
        model = OnnxNetwork(self.file, self.multiple)
        if self.config.model.paths:
            from safetensors.torch import load_file  # of the extra `export`

            head = build_pair_head(self.config.model)
            head.load_state_dict(load_file(self.file.parent / PAIR_HEAD))
            model.add_module("pair_head", head)
        return model.eval()


class OnnxNetwork(nn.Module):
    """A model file as a module: normalised image (B, bands, H, W) to one map for each task.

    Args:
        multiple: what the sides of the file's images must divide by; others are padded.

    Raises:
        RoadexError: ONNX Runtime is missing, or cannot read the file.
    """

    def __init__(self, file: Path, multiple: int) -> None:
        super().__init__()
        self.multiple = multiple
        try:
            import onnxruntime
        except ImportError as error:
            raise RoadexError(f"{file} needs onnxruntime: {install_line('export')}") from error
        try:
            self.session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base
            raise RoadexError(f"{file}: not a readable ONNX file; export it again") from error

    def forward(self, image: Tensor) -> Logits:
        """As in roadex/models/contract.py, without the maps of lower resolution."""
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image.float(), self.multiple)
        found = self.session.run(None, {"image": np.ascontiguousarray(padded.cpu().numpy())})
        names = [output.name for output in self.session.get_outputs()]
        return {
            name: [torch.from_numpy(logits)[..., :height, :width].to(image.device)]
            for name, logits in zip(names, found, strict=True)
        }


def load_exported(folder: Path) -> Checkpoint:
    """The checkpoint in a folder.

    Raises:
        RoadexError: the folder holds none, or its files are not those that were written together.
    """
    card = _description(folder)
    name = card.get("weights")
    if not isinstance(name, str) or Path(name).name != name:
        raise RoadexError(
            f"{folder / DESCRIPTION}: its weights are no file of this folder ({name})"
        )
    file = folder / name
    if not file.is_file() or file_hash(file) != card.get("sha256"):
        raise RoadexError(f"checkpoint={file}: missing or damaged; export it again")
    _check_card(folder / DESCRIPTION, card)
    known = {
        "config": restore_training(card["config"], str(folder / DESCRIPTION)),
        **{key: card[key] for key in ("threshold", "mean", "std", "epoch", "scores", "contrast")},
        "chance": card.get("chance"),  # not in folders of the first releases
    }
    if card["format"] == "onnx":
        head = folder / PAIR_HEAD
        stated = card.get("pair_head_sha256")
        if known["config"].model.paths and not (head.is_file() and file_hash(head) == stated):
            raise RoadexError(f"checkpoint={head}: missing or damaged; export it again")
        return OnnxCheckpoint({}, **known, file=file, multiple=card["multiple"])
    from safetensors.torch import load_file  # of the extra `export`

    return Checkpoint(load_file(file), **known)


def _check_card(path: Path, card: dict[str, Any]) -> None:
    """Raise RoadexError where the description lacks something, or has it of another kind."""
    wrong = unusable(card)
    if not isinstance(card.get("format"), str):
        wrong.append("format")
    multiple = card.get("multiple", 1)
    if type(multiple) is not int or multiple < 1:
        wrong.append("multiple")
    if card.get("format") == "onnx" and "multiple" not in card:
        wrong.append("multiple")
    if wrong:
        raise RoadexError(f"{path}: damaged: its {', '.join(wrong)} cannot be used; export again")


def _description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = card["roadex_format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RoadexError(
            f"checkpoint={folder}: no folder of roadex.export; name one, or RUN/checkpoints/best.pt"
        ) from error
    if version != FORMAT:
        raise RoadexError(f"{path}: format {version}, this version reads {FORMAT}")
    return card


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
