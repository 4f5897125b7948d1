"""Run folders to report on: one of a real training, and copies of it with other numbers."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

from roadex.files import write_json, write_table


def copy_run(source: Path, target: Path, seed: int, f1: float, **settings: Any) -> Path:
    """A copy of a run with another seed, F1, APLS (half the F1) and settings (a__b for a.b)."""
    skip = shutil.ignore_patterns("checkpoints", "wandb")
    shutil.copytree(source, target, ignore=skip)
    scores = {"test/f1": f1, "test/iou": f1 / (2 - f1), "test/apls": f1 / 2}
    edit_json(target / "metrics.json", seed=seed, **scores)
    edit_json(target / "environment.json", seed=seed)
    overrides = [f"seed={seed}", *(f"{key.replace('__', '.')}={settings[key]}" for key in settings)]
    (target / "overrides.yaml").write_text("".join(f"- {line}\n" for line in overrides))
    config = (target / "config.yaml").read_text().splitlines()
    for key, value in {"seed": seed, **settings}.items():
        config = edited(config, key.split("__"), value)
    (target / "config.yaml").write_text("\n".join(config) + "\n")
    with (target / "history.csv").open() as file:
        rows = [{**row, "validation/f1": f1} for row in csv.DictReader(file)]
    write_table(target / "history.csv", rows)
    return target


def edited(lines: list[str], keys: list[str], value: Any) -> list[str]:
    """YAML with the value at nested keys changed."""
    place = -1
    for depth, key in enumerate(keys):
        start = "  " * depth + f"{key}:"
        place = next(i for i in range(place + 1, len(lines)) if lines[i].startswith(start))
    return [*lines[:place], f"{lines[place].split(':')[0]}: {value}", *lines[place + 1 :]]


def edit_json(path: Path, **values: Any) -> None:
    content = json.loads(path.read_text())
    write_json(path, content | values)
