"""The interface of readers of raw data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from roadex.data.splits import SPLITS, Splits
from roadex.data.stretch import Calibration, Histogram
from roadex.data.tile import Tile


class Kind(Enum):
    """Why a file is left out."""

    UNLABELLED = "images without a label"
    ORPHAN = "labels without an image"
    UNUSABLE = "files with the same name"


@dataclass(frozen=True)
class Finding:
    """A file that the listing leaves out."""

    path: Path
    kind: Kind
    reason: str


class Source(Protocol):
    """Raw data that can be listed and read tile by tile, from several processes at once."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Files that were left out when listing."""

    def splits(self, needed: Sequence[str] = SPLITS) -> Splits:
        """Names of all usable tiles by split.

        Raises:
            RoadexError: nothing usable, or one of the `needed` splits is empty.
        """

    def read(self, name: str) -> Tile:
        """The named tile.

        Raises:
            RoadexError: a file of it cannot be used.
        """

    def group(self, name: str) -> str:
        """The city of a tile, or other group whose tiles share their contrast."""

    def histogram(self, name: str) -> Histogram | None:
        """The values of a tile whose contrast has to be measured first; else None.

        Raises:
            RoadexError: the image cannot be used.
        """

    def calibrated(self, calibration: Calibration) -> Source:
        """The same source with its contrast set."""

    def identity(self) -> dict[str, Any]:
        """Everything that the tiles depend on: prepared data of another identity is not used."""

    def notes(self) -> list[str]:
        """Lines on what was found and left out, and why."""


def stamp(path: Path) -> list[Any]:
    """Name, size and modification time of a file, for the identity of a source."""
    state = path.stat()
    return [path.name, state.st_size, state.st_mtime_ns]
