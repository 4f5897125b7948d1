"""What a reader of raw data offers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from roadex.data.splits import Splits
from roadex.data.tile import Tile


class Source(Protocol):
    """Raw data that can be listed and read tile by tile, from several processes at once."""

    def splits(self) -> Splits:
        """Names of all usable tiles by split.

        Raises:
            RoadexError: nothing usable, or an empty split.
        """

    def read(self, name: str) -> Tile:
        """The named tile.

        Raises:
            RoadexError: a file of it cannot be used.
        """

    def identity(self) -> dict[str, Any]:
        """What the tiles depend on: prepared data of another identity is not used."""

    def notes(self) -> list[str]:
        """Lines on what was found and left out, and why."""


def stamp(path: Path) -> list[Any]:
    """Name, size and time of change of a file, as its part in a source's identity."""
    state = path.stat()
    return [path.name, state.st_size, state.st_mtime_ns]
