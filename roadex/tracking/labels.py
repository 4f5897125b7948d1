"""How a run is named and tagged in W&B, so that a dashboard of many can be read and filtered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# W&B refuses longer tags.
LONGEST_TAG = 64


def run_name(settings: dict[str, Any], varied: Sequence[str], folder: str, job_type: str) -> str:
    """Dataset, model, backbone, what is varied (else the recipe's and the folder's name), seed."""
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
