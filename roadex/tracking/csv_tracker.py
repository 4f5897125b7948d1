"""Plain files as the tracker, for spreadsheets and your own programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from roadex.files import write_json, write_table


class CsvTracker:
    """Writes FOLDER/tracking: scalars.csv (key, step, value), summary.json and NAME.csv of tables.

    Values logged before a run was continued stay; a step that is logged again replaces them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tracking"
        self._scalars: dict[tuple[str, int], float] = {}
        self._summary: dict[str, Any] = {}

    def log(self, values: dict[str, float], step: int) -> None:
        """Scalars at an optimiser step."""
        self._scalars.update({(key, step): float(value) for key, value in values.items()})
        rows = [{"key": k, "step": s, "value": v} for (k, s), v in self._scalars.items()]
        write_table(self.folder / "scalars.csv", rows)

    def pictures(self, key: str, paths: Sequence[Path], step: int) -> None:
        """Pictures stay where they are; a table names them."""
        rows = [{"step": step, "picture": str(path)} for path in paths]
        write_table(self.folder / f"{_plain(key)}.csv", rows)

    def table(self, key: str, rows: list[dict[str, Any]], step: int) -> None:
        """Rows that share their keys."""
        write_table(self.folder / f"{_plain(key)}.csv", [{"step": step, **row} for row in rows])

    def artifact(self, name: str, kind: str, paths: Sequence[Path]) -> None:
        """Files stay where they are; a table names them."""
        rows = [{"kind": kind, "file": str(path)} for path in paths]
        write_table(self.folder / f"{_plain(name)}.csv", rows)

    def summary(self, values: dict[str, Any]) -> None:
        """Final values of the run."""
        self._summary.update(values)
        write_json(self.folder / "summary.json", self._summary)

    def finish(self, exit_code: int) -> None:
        """Everything is written already."""


def _plain(key: str) -> str:
    return re.sub(r"[^\w.-]+", "_", key)
