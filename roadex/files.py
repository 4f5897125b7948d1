"""Writing files so that a half-written file never has its final name."""

from __future__ import annotations

import csv
import json
import math
import os
import platform
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from roadex.errors import RoadexError

_TEMPORARY = re.compile(r"^\..+\.(?P<computer>[^.]*)-(?P<process>\d+)(\+(?P<began>\d+))?\.tmp")


def user_path(text: str | Path) -> Path:
    """A path as a user writes it, `~` being the home folder.

    Raises:
        RoadexError: it needs a home folder, and this user has none, as in some containers.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise RoadexError(
            f"{text}: this user has no home folder: set HOME, or give a full path "
            "(ROADEX_CACHE=DIR for prepared tiles)"
        ) from error


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it on success and removed on failure.

    Raises:
        RoadexError: the folder cannot be created or written, or the disk is full.
    """
    target = Path(path)
    temporary = temporary_name(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RoadexError(
            f"{target} cannot be written ({reason}): choose another folder"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def temporary_name(target: Path) -> Path:
    """A hidden name beside `target` that says which process of which computer writes it.

    It keeps the suffix, since writers such as OpenCV choose the format by it.
    """
    began = began_at(os.getpid())
    owner = f"{_computer()}-{os.getpid()}" + ("" if began is None else f"+{began}")
    return target.with_name(f".{target.stem}.{owner}.tmp{target.suffix}")


def remove_abandoned(folder: Path) -> None:
    """Remove what processes of this computer left under temporary names when they were killed."""
    for path in folder.glob(".*.tmp*"):
        owner = _TEMPORARY.match(path.name)
        if owner is None or owner["computer"] != _computer():
            continue
        if is_process(
            int(owner["process"]), None if owner["began"] is None else int(owner["began"])
        ):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # in a folder of others that is only read
                path.unlink()


def _computer() -> str:
    return platform.node().partition(".")[0]


def began_at(process: int) -> int | None:
    """When a process began, in clock ticks since the machine started; None where that is unknown.

    A process is identified by its number and this: numbers are reused, and soon in containers.
    """
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    return int(status.rpartition(")")[2].split()[19])


def is_process(number: int, began: int | None) -> bool:
    """Whether a process of that number and start is running, ours or another user's."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    return began is None or began_at(number) in (began, None)


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of files to the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_files(folder: Path) -> None:
    """Flush to the disk all files of a folder, and their names."""
    for path in folder.iterdir():
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def is_whole_archive(path: Path) -> bool:
    """Whether a .npz or .zip exists and has all the bytes that were written."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError):
        return False


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file of ours; None if the file is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON atomically, indented by two spaces; NaN and infinity become null."""
    write_text(path, json.dumps(_finite(content), indent=2, allow_nan=False) + "\n")


def keep_json(path: Path, content: Any, needed: bool = True) -> None:
    """`write_json` where the file says something else.

    Args:
        needed: whether a file that says something else must not stay; else it may where it cannot
            be written, as in a folder of others that is only read.
    """
    if path.is_file() and read_json(path) == json.loads(json.dumps(_finite(content))):
        return
    if needed or not path.is_file() or os.access(path.parent, os.W_OK):
        write_json(path, content)


def is_readable(path: Path) -> bool:
    """Whether a file or folder may be read; of one that is not seen, what would have it."""
    nearest = next((p for p in (path, *path.absolute().parents) if os.path.lexists(p)), path)
    return os.access(nearest, os.R_OK | os.X_OK if nearest.is_dir() else os.R_OK)


def _finite(content: Any) -> Any:
    """JSON has neither NaN nor infinity."""
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def write_table(path: str | Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as CSV atomically; the columns are all keys in order of appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
