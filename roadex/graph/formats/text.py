"""Reading and writing text files, with errors that name the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from roadex.errors import RoadexError


def read_text(path: Path) -> str:
    """The content of a UTF-8 file.

    Raises:
        RoadexError: the file cannot be read, is empty, or is not text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RoadexError(f"{path} cannot be read ({error.strerror}): check the path") from error
    except UnicodeDecodeError as error:
        raise RoadexError(f"{path} is not UTF-8 text: is its suffix right?") from error
    if not text.strip():
        raise RoadexError(f"{path} is empty: fetch or write it again")
    return text


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        RoadexError: the file cannot be read or does not hold a JSON object.
    """
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise RoadexError(f"{path} is not JSON ({error}): is it cut short?") from error
    if not isinstance(content, dict):
        raise RoadexError(f"{path} holds no JSON object: is it a road network?")
    return content


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numpy's become Python's, what is not finite becomes None."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)
