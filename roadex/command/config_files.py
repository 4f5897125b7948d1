"""Configuration files of others: they may hold settings of roadex, but none of Hydra itself.

Hydra imports and calls what its own block names (`_target_`). A file can set that block by a key
of that name, by its package header, or by its defaults list.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from roadex.errors import RoadexError

_PACKAGE = re.compile(r"^\s*#\s*@package\s+(\S+)", re.MULTILINE)


def check_configuration_files(
    folder: str | None, name: str | None, replacement: str | None
) -> None:
    """Refuse files that were given on the command line and that configure Hydra itself.

    Args:
        folder: of --config-dir, whose files join ours.
        name: of --config-name; that file is a whole configuration, as RUN/config.yaml.
        replacement: folder of --config-path, which would take the place of all our files.

    Raises:
        RoadexError: one does, or the named file is no YAML.
    """
    if replacement is not None:
        raise RoadexError(
            f"--config-path {replacement} would replace every setting of roadex: use --config-dir "
            f"{replacement}, which adds the files in it"
        )
    if folder is None:
        return
    if name is not None:
        _check_whole(Path(folder) / (name if name.endswith((".yaml", ".yml")) else f"{name}.yaml"))
    for path in sorted(Path(folder).rglob("*.y*ml")):
        if path.relative_to(folder).parts[0] != "hydra":  # those are chosen by hydra/GROUP=NAME
            _check_part(path)


def _check_whole(path: Path) -> None:
    if not path.is_file():
        return  # Hydra says so
    content = _content(path)
    if not isinstance(content, dict):
        raise RoadexError(f"{path} holds no settings: name the config.yaml of a run")
    for block in ("hydra", "defaults"):
        if block in content:
            raise _refused(path, f"its block `{block}`")


def _check_part(path: Path) -> None:
    """Refuse a file that may never be read only if it sets something of Hydra."""
    try:
        content = _content(path)
    except RoadexError:
        return  # Hydra says where it is broken, once it is chosen
    header = _PACKAGE.search(path.read_text(encoding="utf-8"))
    if header and "hydra" in header[1]:
        raise _refused(path, f"its header `@package {header[1]}`")
    if not isinstance(content, dict):
        return
    if any(str(key).split(".")[0] == "hydra" for key in content):
        raise _refused(path, "its block `hydra`")
    if "hydra" in str(content.get("defaults", "")):
        raise _refused(path, "its `defaults` of hydra")


def _refused(path: Path, what: str) -> RoadexError:
    return RoadexError(f"{path}: {what} could run other programs: remove it, and keep the settings")


def _content(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise RoadexError(f"{path} is no readable YAML: is it cut short?") from error
