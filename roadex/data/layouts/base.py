"""What it takes to write tiles as a published dataset has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from roadex.world import SyntheticTile

# Tile, its number, and the folder of the dataset. The label is written last.
Writer = Callable[[SyntheticTile, int, Path], None]
# The label file of a tile number, by which a later call sees that the tile is complete.
Label = Callable[[int, Path], Path]


@dataclass(frozen=True)
class Layout:
    """The files of a dataset, and the size and resolution that it publishes its tiles in.

    Attributes:
        most: how many tiles the names of the dataset reach for; None: any number.
    """

    write: Writer
    label: Label
    size_px: int
    gsd: float
    most: int | None = None
