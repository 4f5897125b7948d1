"""One process to a run folder."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from roadex.errors import RoadexError

log = logging.getLogger(__name__)
NAME = ".lock"
HELD = (errno.EACCES, errno.EAGAIN)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system releases however the process ends.

    It is a record lock: unlike flock's, processes that load data do not inherit it, and so cannot
    hold it after a training that was killed.

    Raises:
        RoadexError: another process holds it, or the folder cannot be written.
    """
    try:
        file = _acquire(folder / NAME)
    except BlockingIOError as error:
        raise RoadexError(
            f"{folder}: another process trains there ({_holder(folder)}); wait for it or choose "
            "another folder"
        ) from error
    except OSError as error:
        reason = error.strerror
        raise RoadexError(
            f"{folder} cannot be written ({reason}): choose another folder"
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / NAME).unlink()
        file.close()


def is_locked(folder: Path) -> bool:
    """Whether another process holds the lock, or it cannot be told."""
    if not (folder / NAME).exists():
        return False
    try:
        _acquire(folder / NAME).close()
    except OSError:
        return True
    return False


def _acquire(path: Path) -> TextIO:
    """The locked file. The one before may have been removed between opening and locking it."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            _lock(file, path)
            if path.exists() and os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                file.truncate(0)
                file.write(f"process {os.getpid()} on {socket.gethostname()}")
                file.flush()
                return file
        except OSError:
            file.close()
            raise
        file.close()


def _lock(file: TextIO, path: Path) -> None:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            raise BlockingIOError(error.errno, "held") from error
        log.warning("%s: this file system has no locks; start no second training there", path)


def _holder(folder: Path) -> str:
    with suppress(OSError):
        return (folder / NAME).read_text(encoding="utf-8") or "unknown"
    return "unknown"
