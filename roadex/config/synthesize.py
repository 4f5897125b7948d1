"""Schema of the command `synthesize`."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from roadex.config.limits import bounded, choice
from roadex.config.world import WorldSettings


@dataclass
class SynthesizeConfig:
    """`python -m roadex.synthesize`: the built-in world in the layout of a published dataset."""

    layout: str = choice(
        MISSING, "spacenet", "deepglobe", "massachusetts", "cityscale", "roadtracer"
    )
    out: str = MISSING
    tiles: int = bounded(20, least=1)
    seed: int = bounded(0, least=0)
    # Side of a tile in pixels, and metres per pixel; null takes the published ones.
    size_px: int | None = bounded(None, least=64, most=8192)
    gsd: float | None = bounded(None, least=0.1, most=2.0)
    # Everything else about the world; its size and resolution are the two above.
    world: WorldSettings = field(default_factory=WorldSettings)
    # Processes; 0 takes one per core.
    workers: int = bounded(0, least=0)
