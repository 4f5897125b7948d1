"""Schema of the command `inspect`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from roadex.config.dataset import DatasetConfig
from roadex.config.limits import bounded


@dataclass
class InspectConfig:
    """`python -m roadex.inspect`: a page of tiles to look at before training."""

    dataset: DatasetConfig = MISSING
    out: str = MISSING
    # Tiles on the page, the suspicious ones first.
    tiles: int = bounded(40, least=1)
    # Width of a picture on the page.
    width_px: int = bounded(400, least=50)
    # Images of another dataset (a folder, searched below) and their metres per pixel: a second page
    # then shows both side by side, beside.html.
    beside: str | None = None
    beside_gsd: float | None = bounded(None, above=0)
    connectivity_classes: int = bounded(5, least=3, most=10)
