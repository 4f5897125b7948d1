"""What a training tells its tracker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """Takes scalars, pictures and tables as a training goes on."""

    def log(self, values: dict[str, float], step: int) -> None:
        """Scalars at an optimiser step."""

    def pictures(self, key: str, paths: Sequence[Path], step: int) -> None:
        """Picture files with their names as captions."""

    def table(self, key: str, rows: list[dict[str, Any]], step: int) -> None:
        """Rows that share their keys."""

    def artifact(self, name: str, kind: str, paths: Sequence[Path]) -> None:
        """Files that are kept together under a name."""

    def summary(self, values: dict[str, Any]) -> None:
        """Final values of the run."""


class ClosableTracker(Tracker, Protocol):
    """A tracker that has to be ended."""

    def finish(self, exit_code: int) -> object:
        """End the run; what it was told is written."""


class NoTracker:
    """Keeps nothing."""

    def log(self, values: dict[str, float], step: int) -> None:
        """Do nothing."""

    def pictures(self, key: str, paths: Sequence[Path], step: int) -> None:
        """Do nothing."""

    def table(self, key: str, rows: list[dict[str, Any]], step: int) -> None:
        """Do nothing."""

    def artifact(self, name: str, kind: str, paths: Sequence[Path]) -> None:
        """Do nothing."""

    def summary(self, values: dict[str, Any]) -> None:
        """Do nothing."""
