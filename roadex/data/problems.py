"""What was left out of a prepared dataset, and errors about it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from roadex.data.prepared import PreparedDataset
from roadex.errors import RoadexError


def problems(folder: Path) -> list[str]:
    """Every unusable file beside prepared tiles, with the reason."""
    report = _report(folder)
    return [*report["left_out"].values(), *report["files"]]


def require_whole(folder: Path, tell: Callable[[str], None]) -> None:
    """Name the files that belong to no tile; `prepare` has named the tiles that were left out.

    Raises:
        RoadexError: anything was left out.
    """
    for line in _report(folder)["files"]:
        tell(f"left out: {line}")
    found = problems(folder)
    if found:
        raise RoadexError(
            f"{folder / 'report.json'}: {len(found)} unusable files were left out and the "
            "rest is prepared; repair them and prepare again, or train without them"
        )


def require_attributes(dataset: PreparedDataset, names: Sequence[str]) -> None:
    """Check that the training tiles have each of the attributes of roads that are to be learnt.

    Raises:
        RoadexError: none of their roads has one of them.
    """
    if not names:
        return
    known: Counter[str] = Counter()
    for tile in dataset.splits["train"]:
        facts = json.loads((dataset.tile_folder(tile) / "tile.json").read_text())
        known.update(facts["attributes_m"])
    lacking = [name for name in names if not known[name]]
    if lacking:
        told = [name for name in names if known[name]]
        remedy = (
            f"set model.attribute_names=[{','.join(told)}]"
            if told
            else (
                "learn them from dataset=synthetic, spacenet, or folder with lines that have tags"
            )
        )
        raise RoadexError(
            f"model.attributes=true: no road of the training tiles has its {', '.join(lacking)}: "
            + remedy
        )


def _report(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return content
