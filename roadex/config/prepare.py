"""Schema of the command `prepare`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from roadex.config.dataset import DatasetConfig
from roadex.config.limits import bounded


@dataclass
class PrepareConfig:
    """`python -m roadex.prepare`: from a raw download to tiles ready for training."""

    dataset: DatasetConfig = MISSING
    # Classes of the connectivity map; a training looks for tiles with as many as its model has.
    connectivity_classes: int = bounded(5, least=3, most=10)
    # Whether class, surface, lanes and speed of roads are labels, too, for model.attributes=true.
    attributes: bool = False
