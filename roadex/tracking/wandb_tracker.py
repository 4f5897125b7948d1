"""Weights & Biases as the tracker, and how a run is named and tagged there."""

from __future__ import annotations

import os
import re
import signal
import threading
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, cast

import wandb

from roadex.config.tracking import TrackingConfig
from roadex.files import write_text

Mode = Literal["online", "offline", "disabled"]
TEARDOWN_S = 5.0


class WandbTracker:
    """One W&B run, whose id lies in FOLDER/wandb_id.txt: a continued run is continued in W&B."""

    def __init__(
        self, config: TrackingConfig, settings: dict[str, Any], folder: Path, job_type: str
    ) -> None:
        _give_cache(folder)
        self.run = wandb.init(
            id=_run_id(folder),
            # Offline only the id joins the parts; W&B warns of other options.
            resume="allow" if config.mode == "online" else None,
            mode=cast(Mode, config.mode),
            project=config.project,
            entity=config.entity,
            group=config.group,
            tags=[*run_tags(settings, config.varied), *(config.tags or [])],
            name=run_name(settings, config.varied, folder.name, job_type),
            job_type=job_type,
            dir=folder,
            config={**settings, **varied_columns(config.varied)},
            settings=wandb.Settings(silent=True, console="off", init_timeout=config.patience_s),
        )

    def log(self, values: dict[str, float], step: int) -> None:
        """Scalars at an optimiser step."""
        self.run.log(values, step=step)

    def pictures(self, key: str, paths: Sequence[Path], step: int) -> None:
        """Picture files with their names as captions."""
        pictures = [wandb.Image(str(path), caption=path.stem) for path in paths]
        self.run.log({key: pictures}, step=step)

    def table(self, key: str, rows: list[dict[str, Any]], step: int) -> None:
        """Rows that share their keys."""
        if rows:
            columns: list[str | int] = list(rows[0])
            data = [list(row.values()) for row in rows]
            self.run.log({key: wandb.Table(columns=columns, data=data)}, step=step)

    def artifact(self, name: str, kind: str, paths: Sequence[Path]) -> None:
        """Files that are kept together under a name."""
        artifact = wandb.Artifact(re.sub(r"[^\w.-]", "_", name), type=kind)
        for path in paths:
            artifact.add_file(str(path), name=path.name)
        self.run.log_artifact(artifact)

    def summary(self, values: dict[str, Any]) -> None:
        """Final values of the run."""
        self.run.summary.update(values)

    def finish(self, exit_code: int) -> None:
        """End the run, so that the next one of this process is a run of its own."""
        self.run.finish(exit_code=exit_code)


def _give_cache(folder: Path) -> None:
    """Let W&B's helper keep its log with the run where this user has no home folder to write to.

    Else it writes its log among the lines of the training.
    """
    home = os.environ.get("HOME", "")
    if "XDG_CACHE_HOME" not in os.environ and not (home and os.access(home, os.W_OK)):
        os.environ["XDG_CACHE_HOME"] = str(folder.resolve() / "wandb" / "cache")


def end_service() -> None:
    """End W&B's helper process, which would block the end of this one if it does not answer.

    W&B is told so, or it would look for the process when this one ends, and print a traceback.
    """
    _kill_helper()
    thread = threading.Thread(target=_tear_down, daemon=True)
    thread.start()
    thread.join(TEARDOWN_S)


def _tear_down() -> None:
    with suppress(BaseException):  # it ends the program where the helper did not end well
        wandb.teardown()


def _kill_helper() -> None:
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = entry.read_text().rsplit(")", 1)
            if int(rest.split()[1]) == os.getpid() and "wandb" in name:
                os.kill(int(entry.parent.name), signal.SIGKILL)
        except (OSError, ValueError, IndexError):
            continue


def _run_id(folder: Path) -> str:
    """The id of the folder's run, a new one where it has none."""
    path = folder / "wandb_id.txt"
    if not path.is_file():
        write_text(path, uuid.uuid4().hex[:12])
    return path.read_text(encoding="utf-8").strip()


# W&B refuses longer tags.
LONGEST_TAG = 64


def run_name(settings: dict[str, Any], varied: Sequence[str], folder: str, job_type: str) -> str:
    """Dataset, model, backbone, varied settings (else the names of recipe and folder), seed."""
    parts = [str(settings.get("name", job_type))] + _parts(settings)
    seed = f"seed={settings.get('seed', 0)}"
    return " ".join([*parts, *map(_short, varied), seed] if varied else [*parts, seed, folder])


def run_tags(settings: dict[str, Any], varied: Sequence[str]) -> list[str]:
    """The same parts as tags, each once."""
    tags = [*_parts(settings), *map(_short, varied)]
    return list(dict.fromkeys(tag[:LONGEST_TAG] for tag in tags))


def varied_columns(varied: Sequence[str]) -> dict[str, str]:
    """A column for each varied setting: `varied/stacks` to "2"."""
    pairs = [_short(line).partition("=")[::2] for line in varied]
    return {f"varied/{key}": value for key, value in pairs}


def _parts(settings: dict[str, Any]) -> list[str]:
    """The names of the dataset, the model and the backbone."""
    found = [("dataset", "kind"), ("model", "name"), ("backbone", "kind")]
    nodes = [(settings.get(group), key) for group, key in found]
    return [str(node[key]) for node, key in nodes if isinstance(node, dict) and node.get(key)]


def _short(line: str) -> str:
    """`model.stacks=2` as `stacks=2`."""
    key, _, value = line.partition("=")
    return f"{key.rpartition('.')[2]}={value}"
