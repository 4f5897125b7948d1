"""Schema of the command `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from roadex.config.dataset import DatasetConfig
from roadex.config.graph import DecodingSettings
from roadex.config.inference import InferenceConfig
from roadex.config.limits import bounded, choice
from roadex.config.metrics import AplsSettings


@dataclass
class EvaluateConfig:
    """`python -m roadex.evaluate`: scores of a checkpoint, on its own dataset if none is given."""

    checkpoint: str = MISSING
    out: str = MISSING
    split: str = choice("test", "train", "validation", "test", "all")
    # Road where the probability reaches this; null takes the checkpoint's, chosen on validation.
    threshold: float | None = bounded(None, above=0, most=1)
    dataset: DatasetConfig | None = None
    graph: DecodingSettings = field(default_factory=DecodingSettings)
    apls: AplsSettings = field(default_factory=AplsSettings)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    device: str = choice("auto", "auto", "cpu", "cuda", "mps")
    overlays: int = bounded(12, least=0)
    # Write out/pairs: which pairs of vertices were lost and which invented, with their chances.
    pairs: bool = False
