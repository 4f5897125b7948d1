"""Which folder a training runs in: a new one, or the folder of an earlier run to continue.

A lock keeps every other process out of it.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import yaml

from roadex.config.names import INCIDENTAL, flattened, renewed
from roadex.config.schemas import restore_training, to_yaml
from roadex.config.train import TrainConfig
from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.runs import names
from roadex.runs.names import discard_unused

log = logging.getLogger(__name__)
# The default folders, as conf/train.yaml names them.
DATED = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")
# The one setting of what is learned that a continued run may change.
EXTENDABLE = "trainer.epochs"
Flat = dict[str, Any]


def choose_run(config: TrainConfig, fresh: Path, overrides: list[str]) -> tuple[Path, TrainConfig]:
    """The folder to run in, and the settings, in which `resume` is the default again.

    Args:
        fresh: the folder that Hydra has opened.
        overrides: what the command line set.

    Raises:
        RoadexError: `resume` names no run, or forbids to continue the one that is there.
    """
    wanted, config = config.resume, replace(config, resume="auto")
    if wanted == "never":
        if _settings(fresh) is not None:
            raise RoadexError(
                f"{fresh} holds a run already: leave out resume=never to continue it, or choose "
                "another folder"
            )
        return fresh, config
    if wanted != "auto":
        path = user_path(wanted).resolve()
        config = _named_run(path, config, overrides)
        _move_to(path, fresh)
        return path, config
    earlier = next(_unfinished(config, fresh), None)
    if earlier is not None:
        log.info("continuing %s, unfinished and of the same settings", earlier)
        _move_to(earlier, fresh)
    require_same(earlier or fresh, config)
    return earlier or fresh, config


def require_same(folder: Path, config: TrainConfig) -> None:
    """Check that a folder which holds a run holds one of these settings.

    Raises:
        RoadexError: it does not; the first difference is named.
    """
    there, here = _settings(folder), flattened(yaml.safe_load(to_yaml(config)))
    if there is None:
        return
    for key in sorted(there.keys() | here.keys()):
        if not key.startswith(INCIDENTAL) and there.get(key) != here.get(key):
            raise RoadexError(
                f"{folder} holds a run with {key}={there.get(key)}, not {here.get(key)}: choose "
                "another folder, or the same settings to continue it"
            )


def epochs_of(folder: Path) -> int:
    """The epochs that the settings of a run in a folder ask for."""
    return int((_settings(folder) or {})[EXTENDABLE])


def _named_run(path: Path, config: TrainConfig, overrides: list[str]) -> TrainConfig:
    """The settings of the run that `resume` names, with those that may be changed.

    `config` is what the command line composes. Single settings there replace those of the run;
    its choices (model=..., experiment=...) must be those of the run.
    """
    plain = _content(path)
    if plain is None:
        raise RoadexError(f"resume={path}: no run there; name a folder with a config.yaml")
    there = flattened(plain)
    composed = flattened(yaml.safe_load(to_yaml(config)))
    keys = [line.partition("=")[0] for line in overrides if not line.startswith("resume=")]
    for key, value in sorted(_asked(keys, composed).items()):
        if not key.startswith((*INCIDENTAL, EXTENDABLE)) and there.get(key) != value:
            raise RoadexError(
                f"resume={path}: that run has {key}={there.get(key)}, not {value}: leave it out, "
                "or start a new run without resume="
            )
    for key in keys:
        if key in there:
            _put(plain, key, composed[key])
    return restore_training(plain, str(path / names.CONFIG))


def _asked(keys: list[str], composed: Flat) -> Flat:
    """The settings that overrides of these keys may change; an experiment may change all."""
    if any(key in ("experiment", "+experiment") for key in keys):
        return composed
    groups = tuple(f"{key.partition('@')[0].lstrip('+')}." for key in keys if key not in composed)
    return {key: v for key, v in composed.items() if key in keys or key.startswith(groups)}


def _put(settings: dict[str, Any], key: str, value: Any) -> None:
    *groups, last = key.split(".")
    for group in groups:
        settings = settings[group]
    settings[last] = value


def _unfinished(config: TrainConfig, fresh: Path) -> Iterator[Path]:
    """Unfinished runs beside a new, dated folder, the newest first."""
    if not DATED.fullmatch(fresh.name) or _settings(fresh) is not None:
        return
    for folder in sorted(fresh.parent.iterdir(), reverse=True):
        if not DATED.fullmatch(folder.name) or _settings(folder) is None:
            continue
        if not (folder / names.METRICS).is_file() and not is_locked(folder):
            try:
                require_same(folder, config)
            except RoadexError:
                continue
            yield folder


def _settings(folder: Path) -> Flat | None:
    """The settings of the run in a folder by full key; None where there is none."""
    content = _content(folder)
    return None if content is None else flattened(content)


def _content(folder: Path) -> dict[str, Any] | None:
    try:
        content = yaml.safe_load((folder / names.CONFIG).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return None
    return renewed(content) if isinstance(content, dict) else None


def _move_to(path: Path, fresh: Path) -> None:
    """Send the messages to the log of this folder instead of the one that Hydra opened."""
    if path == fresh:
        return
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).parent == fresh:
            moved = logging.FileHandler(path / Path(handler.baseFilename).name)
            moved.setFormatter(handler.formatter)
            root.removeHandler(handler)
            root.addHandler(moved)
            handler.close()
    discard_unused(fresh)


NAME = ".lock"
HELD = (errno.EACCES, errno.EAGAIN)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system releases in any case when the process ends.

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
    """Whether another process holds the lock, or this is unknown."""
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
