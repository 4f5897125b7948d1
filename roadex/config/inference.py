"""Schema of the settings of inference, shared by training, evaluation and prediction."""

from __future__ import annotations

from dataclasses import dataclass

from roadex.config.limits import bounded
from roadex.errors import RoadexError


@dataclass
class InferenceConfig:
    """How a whole tile is predicted."""

    # Tiles larger than this are predicted in overlapping, blended windows (pixels).
    window: int = bounded(1024, least=64)
    overlap: int = bounded(128, least=0)
    # Average over the eight flips and turns.
    flips: bool = False
    # In prediction, images with finer pixels than this (metres) are resampled to it; pixels between
    # it and the training's stay as they are; null resamples all to the training's.
    finest_gsd: float | None = bounded(None, above=0)

    def __post_init__(self) -> None:
        if self.overlap > self.window // 2:
            raise RoadexError(
                f"inference.overlap={self.overlap}: must be at most half of "
                f"inference.window={self.window}"
            )
