"""What a training logs, and a guard so that no tracker can end or block a training."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
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
        """End the run, with everything written."""


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


log = logging.getLogger(__name__)


class GuardedTracker:
    """Passes everything on, each call in bounded time; after a failure only the end of the run.

    A call that fails or takes longer than `patience_s` is reported in one line, once.
    """

    def __init__(self, tracker: ClosableTracker, name: str, patience_s: float) -> None:
        self.tracker, self.name, self.patience_s = tracker, name, patience_s
        self.failed = self._told = False

    def log(self, values: dict[str, float], step: int) -> None:
        """Scalars at an optimiser step."""
        self._try(lambda: self.tracker.log(values, step))

    def pictures(self, key: str, paths: Sequence[Path], step: int) -> None:
        """Picture files with their names as captions."""
        self._try(lambda: self.tracker.pictures(key, paths, step))

    def table(self, key: str, rows: list[dict[str, Any]], step: int) -> None:
        """Rows that share their keys."""
        self._try(lambda: self.tracker.table(key, rows, step))

    def artifact(self, name: str, kind: str, paths: Sequence[Path]) -> None:
        """Files that are kept together under a name."""
        self._try(lambda: self.tracker.artifact(name, kind, paths))

    def summary(self, values: dict[str, Any]) -> None:
        """Final values of the run."""
        self._try(lambda: self.tracker.summary(values))

    def finish(self, exit_code: int) -> bool:
        """End the run in bounded time; whether that worked."""
        self.failed = False  # an open run would take the next one's values, so try in any case
        self._try(lambda: self.tracker.finish(exit_code))
        return not self.failed

    def _try(self, action: Callable[[], object]) -> None:
        if self.failed:
            return
        errors: list[Exception] = []

        def guarded() -> None:
            try:
                action()
            except Exception as error:  # tracking must never end a training
                errors.append(error)

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        thread.join(self.patience_s)
        if thread.is_alive():
            errors.append(TimeoutError(f"no answer within {self.patience_s:g} s"))
        if errors:
            self.failed = True
            if not self._told:
                log.warning(
                    "%s failed (%s): going on without it", self.name, in_one_line(errors[0])
                )
            self._told = True


def in_one_line(error: Exception) -> str:
    """The error in one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__
