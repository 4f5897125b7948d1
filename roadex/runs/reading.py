"""Reading run folders back: what a training left, checked before anything is averaged."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import yaml

from roadex.config.names import flattened, renewed
from roadex.errors import RoadexError
from roadex.runs import names

# IoU and F1 come from the same counts, up to rounding of the division.
IDENTITY_TOLERANCE = 1e-6
NAN = float("nan")


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        config: settings by dotted key.
        overrides: of the command line, by key as it was written.
        metrics: metrics.json.
        history: a row for each epoch; what an epoch lacks is not in its row.
        environment: environment.json.
    """

    folder: Path
    config: dict[str, Any]
    overrides: dict[str, str]
    metrics: dict[str, Any]
    history: list[dict[str, float]]
    environment: dict[str, Any]

    @property
    def seed(self) -> int:
        """What the run drew its random numbers from."""
        return int(self.metrics["seed"])

    @property
    def repeat(self) -> tuple[int, ...]:
        """What tells the run from others of its settings: its seed, and its folds if it has any."""
        folds = [value for key, value in sorted(self.config.items()) if is_fold(key)]
        return self.seed, *(int(value) for value in folds if value is not None)

    @cached_property
    def tiles(self) -> pd.DataFrame:
        """The scores of each test tile by its name; empty for runs of versions without them.

        Raises:
            RoadexError: the file is damaged.
        """
        path = self.folder / names.TILES
        return read_tiles(path) if path.is_file() else pd.DataFrame()

    @cached_property
    def scores(self) -> dict[str, float]:
        """Test scores by name, NaN where no tile could be scored."""
        tests = ((key, value) for key, value in self.metrics.items() if key.startswith("test/"))
        return {key.removeprefix("test/"): NAN if v is None else float(v) for key, v in tests}

    @property
    def images_per_s(self) -> float:
        """Training speed: the median epoch."""
        rates = [row["images_per_s"] for row in self.history if "images_per_s" in row]
        return median(rates) if rates else NAN

    def fact(self, key: str) -> float:
        """A number of metrics.json, NaN where an older version did not write it."""
        value = self.metrics.get(key)
        return NAN if value is None else float(value)

    @property
    def version(self) -> str:
        """The code: version, and commit where it ran from a checkout."""
        commit = self.environment.get("commit")
        number = str(self.environment.get("packages", {}).get("roadex"))
        return f"{number} ({commit[:12]})" if commit else number


@dataclass
class Found:
    """The runs below a folder: finished, unfinished, and the faults of those that are unusable."""

    finished: list[Run] = field(default_factory=list)
    unfinished: list[Path] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def is_fold(key: str) -> bool:
    """Whether a setting is the number of a fold, of the main dataset or another."""
    return key.startswith("dataset") and key.endswith(".splits.fold")


def read_tiles(path: Path) -> pd.DataFrame:
    """The table of single tiles that a training or an evaluation wrote, by tile.

    Raises:
        RoadexError: the file is damaged.
    """
    try:
        return pd.read_csv(path, index_col="tile", dtype={"tile": str})
    except (OSError, ValueError) as error:  # pandas' own errors are of these
        raise RoadexError(f"{path} is damaged: evaluate the checkpoint again") from error


def find_runs(folder: str | Path) -> Found:
    """Read every run folder below `folder`, which may be one itself.

    Raises:
        RoadexError: there is no such folder, or no run in it that is finished and whole.
    """
    root = Path(folder)
    if not root.is_dir():
        raise RoadexError(f"runs={folder}: no such folder")
    found = Found()
    for path in sorted(file.parent for file in root.rglob("environment.json")):
        if not (path / "metrics.json").exists():
            found.unfinished.append(path)
            continue
        try:
            found.finished.append(read_run(path))
        except RoadexError as error:
            found.faults.append(str(error))
    if not found.finished:
        raise RoadexError(_nothing(root, found))
    return found


def _nothing(root: Path, found: Found) -> str:
    if found.faults:
        return f"{root}: no run can be read; the first: {found.faults[0]}"
    return (
        f"{root}: no finished run ({len(found.unfinished)} unfinished): "
        "a run is finished when its folder holds metrics.json"
    )


def read_run(folder: Path) -> Run:
    """Read one finished run.

    Raises:
        RoadexError: a file is damaged, of another version, or its scores contradict each other.
    """
    run = Run(
        folder,
        flattened(renewed(_mapping(folder / "config.yaml"))),
        _overrides(folder / "overrides.yaml"),
        _mapping(folder / "metrics.json"),
        _history(folder / "history.csv"),
        _mapping(folder / "environment.json"),
    )
    for key in ("seed", "split_hash", "parameters", "test/f1", "test/iou"):
        if not isinstance(run.metrics.get(key), (int, float, str)):
            raise RoadexError(
                f"{folder / 'metrics.json'}: no '{key}': it was written by another version of "
                "roadex; evaluate the checkpoint again with this one, or move the folder away"
            )
    _check_identity(run)
    return run


def _check_identity(run: Run) -> None:
    """IoU = F1 / (2 - F1) for scores of the same counts."""
    for prefix in ("", "relaxed_"):
        f1, iou = (run.scores.get(f"{prefix}{name}", NAN) for name in ("f1", "iou"))
        if abs(iou - f1 / (2 - f1)) > IDENTITY_TOLERANCE:
            raise RoadexError(
                f"{run.folder / 'metrics.json'}: {prefix}iou={iou:.6f} cannot go with "
                f"{prefix}f1={f1:.6f} (IoU = F1 / (2 - F1)): the file was changed by hand"
            )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise RoadexError(f"{path} cannot be read ({reason}): run it again") from error


def _mapping(path: Path) -> dict[str, Any]:
    """The keys and values of a JSON or YAML file."""
    text = _read(path)
    try:
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise RoadexError(f"{path} is damaged: run it again, or move the folder away") from error
    if not isinstance(content, dict):
        raise RoadexError(f"{path} holds no settings: run it again, or move the folder away")
    return content


def _overrides(path: Path) -> dict[str, str]:
    """The overrides of a run by key, without the signs that Hydra lets stand before it."""
    try:
        lines = yaml.safe_load(_read(path)) or []
        pairs = (str(line).lstrip("+~").partition("=") for line in lines)
        return {key: value for key, _, value in pairs}
    except (TypeError, yaml.YAMLError) as error:
        raise RoadexError(f"{path} is damaged: run it again, or move the folder away") from error


def _history(path: Path) -> list[dict[str, float]]:
    rows = []
    for number, row in enumerate(csv.DictReader(_read(path).splitlines()), start=2):
        try:
            if None in row or None in row.values():
                raise ValueError("another number of columns than the head")
            rows.append({key: float(value) for key, value in row.items() if value != ""})
            if "epoch" not in rows[-1]:
                raise ValueError("no epoch")
        except ValueError as error:
            place = f"{path}, line {number}"
            raise RoadexError(f"{place} is damaged ({error}): run it again") from error
    if not rows:
        raise RoadexError(f"{path} holds no epoch: run it again, or move the folder away")
    return rows


def is_known(value: float) -> bool:
    """Whether there is a number at all."""
    return not math.isnan(value)
