"""What was left out of a prepared dataset, and that somebody should look at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from roadex.errors import RoadexError


def problems(folder: Path) -> list[str]:
    """Every unusable file beside prepared tiles, with the reason."""
    report = _report(folder)
    return [*report["left_out"].values(), *report["files"]]


def require_whole(folder: Path, tell: Callable[[str], None]) -> None:
    """Name the files that belong to no tile; `prepare` told of the tiles that were left out.

    Raises:
        RoadexError: anything was left out.
    """
    for line in _report(folder)["files"]:
        tell(f"left out: {line}")
    found = problems(folder)
    if found:
        raise RoadexError(
            f"{folder / 'report.json'}: {len(found)} unusable files were left out and the "
            "rest is prepared; mend them and prepare again, or train without them"
        )


def _report(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return content
