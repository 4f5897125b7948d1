"""What `--help` prints: the command's own text, its groups, and how to list every setting."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from roadex.config.extensions import extension_folders
from roadex.config.paths import config_dir

FOOTER = """\
Any setting is overridden as key=value (trainer.epochs=20), a group as group=choice.
Every setting with its value:  python -m {module} --cfg job
Hydra's own options:           python -m {module} --hydra-help"""


def help_text(run: Callable[[Any], None], config_name: str, module: str) -> str:
    """The help of a command: the docstring of its function, then the groups it takes."""
    lines = [inspect.cleandoc(run.__doc__ or ""), ""]
    groups = command_groups(config_name)
    if groups:
        lines += ["Groups:", *(f"  {name:<11}{', '.join(choices)}" for name, choices in groups), ""]
    return "\n".join(lines) + "\n" + FOOTER.format(module=module)


def command_groups(config_name: str) -> list[tuple[str, list[str]]]:
    """The groups in a command's defaults list, each with its choices."""
    with (config_dir() / f"{config_name}.yaml").open(encoding="utf-8") as file:
        defaults = yaml.safe_load(file)["defaults"]
    names = [
        str(key).removeprefix("optional ")
        for entry in defaults
        if isinstance(entry, dict)
        for key in entry
    ]
    groups = [name for name in names if not name.startswith(("override", "/"))]
    return [(name, group_choices(name)) for name in groups]


def group_choices(group: str) -> list[str]:
    """The names of a group's configurations, sub-folders and other packages' included."""
    folders = [folder / group for folder in (config_dir(), *extension_folders())]
    return sorted({name for folder in folders for name in choices_in(folder)})


def choices_in(folder: Path) -> list[str]:
    """The names of the configurations in a folder, sub-folders included."""
    return sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml"))
