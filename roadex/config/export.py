"""Schema of the command `export`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from roadex.config.limits import choice


@dataclass
class ExportConfig:
    """`python -m roadex.export`: a checkpoint as a folder that other programs read."""

    checkpoint: str = MISSING
    # A new or empty folder.
    out: str = MISSING
    format: str = choice("onnx", "onnx", "safetensors")
    # What the model card says about the training data, and about the terms of use.
    data: str | None = None
    licence: str | None = None
