"""The folder of a sweep: who began it, with which code, and whether jobs fit what lies in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from roadex.errors import RoadexError
from roadex.files import write_json

MARK = "sweep.json"


def claim(sweep: Path, version: dict[str, Any], command: list[str]) -> None:
    """Note which code began a sweep, if nobody has yet; the commands that went on with it, too."""
    path = sweep / MARK
    content = _read(path) or {**version, "commands": []}
    content["commands"].append({"command": command, **version})
    write_json(path, content)


def check_version(sweep: Path, version: dict[str, Any], anyway: bool) -> None:
    """Check that a sweep was begun by this code.

    Raises:
        RoadexError: another version or commit began it, and nobody said that this is wanted.
    """
    before = _read(sweep / MARK)
    if before is None or anyway:
        return
    for key, here in version.items():
        there = before.get(key)
        if there != here:
            raise RoadexError(
                f"{sweep} was begun by roadex {key} {there}, this is {here}: choose another name= "
                "for a new sweep, or go on with sweep.any_version=true"
            )


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(content["commands"], list)
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise RoadexError(f"{path}: damaged; remove it to go on with the sweep") from error
    return dict(content)
