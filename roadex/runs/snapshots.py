"""The checkpoints that a training continues from: the last few, each with its checksum."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roadex.errors import RoadexError
from roadex.files import sync_folder
from roadex.runs.checkpoint import read_content, write_content

log = logging.getLogger(__name__)
DIGITS = 16
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Snapshots:
    """Files `epoch-EEEE-batch-BBBBBB-CHECKSUM.pt` in a folder, their names in order of time.

    The checksum is the start of the file's SHA-256. Being part of the name, it appears with the
    file in one renaming: neither ever exists without the other.

    Attributes:
        keep: how many of them are kept.
    """

    folder: Path
    keep: int

    def save(self, content: dict[str, Any], epoch: int, batch: int) -> Path:
        """Write one, then remove those beyond `keep`.

        Raises:
            RoadexError: it cannot be written; the newest before it is still there.
        """
        place = f"epoch-{epoch:04}-batch-{batch:06}"
        earlier = self._files()
        try:
            path = _or_with_room(lambda: self._write(content, place), earlier[1:])
        except OSError as error:
            start = earlier[0].name if earlier else "the start"
            raise RoadexError(
                f"{self.folder} cannot be written ({error.strerror}): make room there and give the "
                f"same command again; it continues from {start}"
            ) from error
        for file in earlier:
            if file.name.startswith(place) and file != path:
                file.unlink(missing_ok=True)
        for file in self._files()[self.keep :]:
            file.unlink()
        return path

    def newest(self) -> tuple[Path, dict[str, Any]] | None:
        """The newest intact file and its content. Damaged ones are reported and renamed."""
        for path in self._files():
            try:
                if path.stem.endswith(_checksum(path)):
                    return path, read_content(path)
            except (OSError, RoadexError) as error:
                log.debug("%s: %s", path, error)
            log.warning("%s is damaged: going back to the checkpoint before it", path)
            path.rename(path.with_suffix(".damaged"))
        return None

    def remove(self) -> None:
        """Remove them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        """The newest first."""
        return sorted(self.folder.glob("epoch-*-batch-*.pt"), reverse=True)

    def _write(self, content: dict[str, Any], place: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(".*.tmp.pt"):  # of a process that was killed
            left.unlink()
        temporary = self.folder / f".{place}.{os.getpid()}.tmp.pt"
        try:
            digest = write_content(temporary, content)
            path = temporary.replace(self.folder / f"{place}-{digest[:DIGITS]}.pt")
            sync_folder(self.folder)
            return path
        finally:
            with suppress(OSError):
                temporary.unlink()


def _or_with_room(write: Callable[[], Path], expendable: list[Path]) -> Path:
    """Try to write; if the disk is full, remove the expendable files and try once more."""
    try:
        return write()
    except OSError as error:
        if error.errno not in FULL or not expendable:
            raise
        log.warning("the disk is full: removing all checkpoints but the newest")
        for path in expendable:
            path.unlink()
        return write()


def _checksum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:DIGITS]
