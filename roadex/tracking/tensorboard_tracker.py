"""TensorBoard as the tracker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from roadex.rasters.pictures import read_image


class TensorboardTracker:
    """Event files in FOLDER/tensorboard."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.writer = SummaryWriter(str(folder / "tensorboard"))
        self.writer.add_text(
            "settings", _table([{"key": k, "value": v} for k, v in settings.items()])
        )

    def log(self, values: dict[str, float], step: int) -> None:
        """Scalars at an optimiser step."""
        for key, value in values.items():
            self.writer.add_scalar(key, float(value), step)

    def pictures(self, key: str, paths: Sequence[Path], step: int) -> None:
        """Picture files, each under its name."""
        for path in paths:
            pixels = np.ascontiguousarray(read_image(path))
            self.writer.add_image(f"{key}/{path.stem}", pixels, step, dataformats="HWC")

    def table(self, key: str, rows: list[dict[str, Any]], step: int) -> None:
        """Rows that share their keys, as a Markdown table."""
        self.writer.add_text(key, _table(rows), step)

    def artifact(self, name: str, kind: str, paths: Sequence[Path]) -> None:
        """TensorBoard keeps no files: their places are named."""
        self.writer.add_text(f"{kind}/{name}", "\n".join(f"- {path}" for path in paths))

    def summary(self, values: dict[str, Any]) -> None:
        """Final values of the run, as a table."""
        self.writer.add_text("summary", _table(_pairs(values)))

    def finish(self, exit_code: int) -> None:
        """Write what is left."""
        self.writer.close()


def _pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(row.get(key, "")) for key in head) + " |" for row in rows]
    return "\n".join(lines)
