"""Checkpoints: weights with everything that is needed to use them, loadable without pickles."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

import torch
from torch import Tensor, nn

from roadex import __version__
from roadex.config.backbone import BackboneConfig, TimmBackboneConfig
from roadex.config.schemas import restore_training, to_plain
from roadex.config.train import TrainConfig
from roadex.data.stretch import Calibration
from roadex.errors import RoadexError
from roadex.files import atomic_write, sync_folder
from roadex.models.registry import build_model

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and how to use it.

    Attributes:
        weights: the model's state.
        config: the configuration of the training.
        threshold: road where the probability reaches it, chosen on the validation split.
        mean, std: normalisation of each band / 255.
        epoch: epochs trained.
        scores: validation scores.
        contrast: how images of more than 8 bits become 8, by city; empty where none had more.
        chance: of pairs of vertices that a road joins, chosen on validation; None without pairs.
    """

    weights: dict[str, Tensor]
    config: TrainConfig
    threshold: float
    mean: list[float]
    std: list[float]
    epoch: int
    scores: dict[str, float]
    contrast: Calibration = field(default_factory=dict)
    chance: float | None = None

    def build(self) -> nn.Module:
        """The model with its weights, in evaluation mode."""
        model = build_model(self.config.model, _without_download(self.config.backbone))
        load_weights(model, self.weights, "the checkpoint")
        return model.eval()


def _without_download(backbone: BackboneConfig) -> BackboneConfig:
    """The settings without pretrained weights, which those of the checkpoint replace."""
    if isinstance(backbone, TimmBackboneConfig):
        return replace(backbone, weights="none", pretrained=False)
    return backbone


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically."""
    with atomic_write(path) as temporary:
        write_content(temporary, checkpoint_content(checkpoint))
    sync_folder(path.parent)


def checkpoint_content(
    checkpoint: Checkpoint, state: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The content of a checkpoint file; `state` is what a training needs to continue from it."""
    return {
        "format": FORMAT,
        "roadex": __version__,
        "weights": checkpoint.weights,
        "weights_sha256": weights_hash(checkpoint.weights),
        "config": to_plain(checkpoint.config),
        "threshold": checkpoint.threshold,
        "mean": checkpoint.mean,
        "std": checkpoint.std,
        "epoch": checkpoint.epoch,
        "scores": checkpoint.scores,
        "contrast": checkpoint.contrast,
        "chance": checkpoint.chance,
        "state": state,
    }


def weights_hash(weights: dict[str, Tensor]) -> str:
    """SHA-256 over names, shapes and bytes of tensors, in hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write_content(path: Path, content: dict[str, Any]) -> str:
    """Write a checkpoint file to the disk itself; returns the SHA-256 of its bytes in hexadecimal.

    Raises:
        OSError: the file cannot be written, and may be incomplete.
    """
    with path.open("wb") as file:
        target = _HashedFile(file)
        torch.save(content, target)  # type: ignore[arg-type]
        if target.error is not None:
            raise target.error
        file.flush()
        os.fsync(file.fileno())
    return target.digest.hexdigest()


class _HashedFile:
    """Hashes what PyTorch writes, and keeps exceptions for later: PyTorch's writer would crash."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.digest = hashlib.sha256()
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write and hash, or do nothing once that has failed."""
        try:
            if self.error is None:
                self.file.write(data)
                self.digest.update(data)
        except OSError as error:
            self.error = error
        return len(data)

    def flush(self) -> None:
        """The file is flushed at its end."""


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint file onto the CPU. Only tensors and plain values are ever unpickled.

    Raises:
        RoadexError: no such file, a damaged one, or not one of ours.
    """
    content = read_content(path)
    _check_content(path, content)
    return Checkpoint(
        weights=content["weights"],
        config=restore_training(content["config"], str(path)),
        threshold=content["threshold"],
        mean=content["mean"],
        std=content["std"],
        epoch=content["epoch"],
        scores=content["scores"],
        # Not in files of the first releases.
        contrast=content.get("contrast", {}),
        chance=content.get("chance"),
    )


def _check_content(path: str | Path, content: dict[str, Any]) -> None:
    """Check that every entry is there, has the right type, and is unchanged.

    Raises:
        RoadexError: the file is damaged, or was changed.
    """
    wrong = unusable(content)
    if not isinstance(content.get("weights"), dict):
        wrong.insert(0, "weights")
    if wrong:
        raise RoadexError(f"checkpoint={path}: damaged: its {', '.join(wrong)} cannot be used")
    if not all(isinstance(value, Tensor) for value in content["weights"].values()):
        raise RoadexError(f"checkpoint={path}: damaged: its weights are not tensors")
    stated = content.get("weights_sha256")  # not in files of the first releases
    if stated is not None and stated != weights_hash(content["weights"]):
        raise RoadexError(
            f"checkpoint={path}: damaged: its weights have changed since they were written; take "
            "another copy, or checkpoints/last.pt of the run"
        )


def unusable(content: dict[str, Any]) -> list[str]:
    """What beside the weights of a checkpoint's or export's content is not there or not usable."""
    kinds: dict[str, Any] = {"config": dict, "scores": dict, "epoch": int}
    wrong = [key for key, kind in kinds.items() if not isinstance(content.get(key), kind)]
    epoch = content.get("epoch")
    if isinstance(epoch, bool) or (isinstance(epoch, int) and epoch < 0):
        wrong.append("epoch")
    threshold, chance = content.get("threshold"), content.get("chance")
    if not _is_number(threshold) or not 0 < threshold <= 1:
        wrong.append("threshold")
    if chance is not None and (type(chance) is not float or not 0 < chance <= 1):
        wrong.append("chance")
    contrast = content.get("contrast", {})
    if not isinstance(contrast, dict) or not all(map(_is_stretch, contrast.values())):
        wrong.append("contrast")
    # Images are divided by std.
    wrong += [
        key
        for key, least in (("mean", -math.inf), ("std", 0.0))
        if not _are_numbers(content.get(key), least)
    ]
    return wrong


def _is_stretch(value: Any) -> bool:
    """Whether a value has the ends of a contrast, of each band."""
    return isinstance(value, dict) and all(
        _are_numbers(value.get(end), -math.inf) for end in ("low", "high")
    )


def _are_numbers(values: Any, above: float) -> bool:
    """Whether values are a list of at least three numbers above one."""
    return (
        isinstance(values, list)
        and len(values) >= 3
        and all(_is_number(value) and value > above for value in values)
    )


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_content(path: str | Path) -> dict[str, Any]:
    """The raw content of a checkpoint file; raises as `read_checkpoint`."""
    if not Path(path).is_file():
        raise RoadexError(f"checkpoint={path}: no such file; it is RUN/checkpoints/best.pt")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise RoadexError(f"checkpoint={path}: damaged, or not a roadex checkpoint") from error
    if not isinstance(content, dict) or "weights" not in content or "format" not in content:
        raise RoadexError(f"checkpoint={path}: not a roadex checkpoint")
    if content["format"] != FORMAT:
        raise RoadexError(
            f"checkpoint={path}: format {content['format']}, this version reads {FORMAT}; "
            f"use roadex {content.get('roadex')}"
        )
    return content


def load_weights(
    model: nn.Module, weights: dict[str, Tensor], source: str, fresh: tuple[str, ...] = ()
) -> None:
    """Copy weights into a model of the same architecture.

    Args:
        fresh: parts of the model that may keep their own weights where there are none.

    Raises:
        RoadexError: the architectures differ; the first difference is named.
    """
    own = model.state_dict()
    kept = {k: v for k, v in own.items() if k.split(".")[0] in fresh and k not in weights}
    weights = {**weights, **kept}
    for name in sorted(own.keys() ^ weights.keys()):
        where = "is not in" if name in own else "is only in"
        raise RoadexError(f"{source}: another architecture ('{name}' {where} it); set model= alike")
    for name, value in own.items():
        if value.shape != weights[name].shape:
            shapes = f"{list(weights[name].shape)} there, {list(value.shape)} here"
            raise RoadexError(
                f"{source}: another architecture ('{name}': {shapes}); set model= alike"
            )
    model.load_state_dict(weights)
