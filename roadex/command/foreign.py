"""Configuration files of others: only settings are taken from them, never Hydra's own.

What Hydra's own block names (`_target_`) is imported and called.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from roadex.errors import RoadexError


def check_configuration_file(folder: str | None, name: str | None) -> None:
    """Refuse a file, given by --config-dir and --config-name, that configures Hydra itself.

    Raises:
        RoadexError: it does, or it is no YAML.
    """
    if folder is None or name is None:
        return
    path = Path(folder) / (name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    if not path.is_file():
        return  # Hydra says so
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RoadexError(f"{path} is no readable YAML: is it cut short?") from error
    if not isinstance(content, dict):
        raise RoadexError(f"{path} holds no settings: name the config.yaml of a run")
    for block in ("hydra", "defaults"):
        if block in content:
            raise RoadexError(
                f"{path}: its block `{block}` could run other programs: remove it, and keep "
                "the settings"
            )
