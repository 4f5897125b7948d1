"""Overrides as they are typed: text stays text, even where Hydra's grammar would read it otherwise.

In that grammar `2022_01_05` is a number, `1e3` another, and a path with an accent, a space or a
parenthesis a mistake. Values of settings that are text are therefore quoted before Hydra sees them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from roadex.config.names import RENAMED
from roadex.config.paths import config_dir
from roadex.config.schemas import schemas
from roadex.errors import RoadexError

# Hydra's own settings that are paths.
_HYDRA_TEXT = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.launcher.partition")
_KEY = re.compile(r"^(?P<key>\+{0,2}[A-Za-z_][\w./@]*)=(?P<value>.*)$", re.DOTALL)
# Values that are left to the grammar: quoted ones, those of other settings, and functions that give
# several values.
_GRAMMAR = re.compile(
    r"""^(['"].*['"]|.*\$\{.*|(choice|range|glob|interval|sort|shuffle)\(.*\))$""", re.S
)
# Further datasets, and the settings of one.
_DATASETS = re.compile(r"^\+{0,2}datasets=\[(.*)\]$")
_DATASET_KEY = re.compile(r"^datasets\.\w+\.")
_MULTIRUN = ("-m", "--multirun")


def as_typed(arguments: list[str], command: str) -> list[str]:
    """The arguments of a command line with every text value quoted and single values listed.

    Args:
        arguments: without the program's name.
        command: whose schema the keys belong to first.

    Raises:
        RoadexError: several values for a setting that takes one, without -m.
    """
    several = any(argument in _MULTIRUN for argument in arguments)
    text, lists = text_settings(command)
    given = [new for argument in arguments for new in _with_datasets(argument)]
    return [_typed(argument, text, lists, several) for argument in given]


def _with_datasets(argument: str) -> list[str]:
    """`datasets=[mine:folder,synthetic]` as Hydra's overrides, one for each dataset."""
    found = _DATASETS.match(argument)
    if found is None:
        return _with_extra(_renewed(argument))
    chosen = [entry.strip() for entry in found[1].split(",") if entry.strip()]
    return [
        f"+dataset@datasets.{name}={option or name}"
        for name, _, option in (entry.partition(":") for entry in chosen)
    ]


def _renewed(argument: str) -> str:
    """The argument with the present name of its setting."""
    key, equals, value = argument.partition("=")
    if key not in RENAMED:
        return argument
    print(f"roadex: {key} is now {RENAMED[key]}", file=sys.stderr)
    return f"{RENAMED[key]}{equals}{value}"


def _with_extra(argument: str) -> list[str]:
    """The one further dataset of 0.1.0, under its present name."""
    key, equals, value = argument.partition("=")
    if key == "dataset@extra":
        now = [f"+dataset@datasets.extra={value}"]
        now += ["datasets.extra.use=[train]", "datasets.extra.resample=false"]
    elif key.startswith("extra."):
        now = [f"datasets.{argument}"]
    else:
        return [argument]
    print(f"roadex: {argument} is now {' '.join(now)}", file=sys.stderr)
    return now if equals else [argument]


def _typed(argument: str, text: set[str], lists: set[str], several: bool) -> str:
    found = _KEY.match(argument)
    if found is None or argument.startswith("-"):
        return argument
    written, value = found["key"], found["value"]
    if (value == "null" or value.startswith("{")) and (config_dir() / written).is_dir():
        raise RoadexError(f"{argument}: name a choice of {written}, or leave it out: ~{written}")
    key = _DATASET_KEY.sub("dataset.", written.lstrip("+"))
    if _GRAMMAR.match(value) or value in ("", "null"):
        return argument
    if key in text:
        values = swept(value) if several else [value]
        return f"{written}={','.join(map(quote, values))}"
    if key in lists and not several and not value.startswith("["):
        return f"{written}=[{','.join(map(quote, value.split(',')))}]"
    if key in ("seed", "trainer.epochs") and "," in value and not several:
        raise RoadexError(f"{argument}: several values are a sweep: add -m")
    return argument


def swept(value: str) -> list[str]:
    """The values between the commas of a sweep; a path that is there keeps the commas in it."""
    parts, values = value.split(","), []
    while parts:
        whole = [end for end in range(len(parts), 1, -1) if _is_there(",".join(parts[:end]))]
        end = whole[0] if whole else 1
        values.append(",".join(parts[:end]))
        parts = parts[end:]
    return values


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # too long to be a path
        return False


def text_settings(command: str) -> tuple[set[str], set[str]]:
    """The full keys of settings that are text, and of those that are lists of text."""
    kinds: dict[str, set[str]] = {}
    own: dict[str, str] = {}
    for name, schema in schemas().items():
        group, _, choice = name.partition("/")
        for key, kind in _kinds(schema):
            if name == command:
                own[key] = kind
            if choice:
                kinds.setdefault(f"{group}.{key}", set()).add(kind)
    agreed = {key: found.pop() for key, found in kinds.items() if len(found) == 1} | own
    text = {key for key, kind in agreed.items() if kind == "text"} | set(_HYDRA_TEXT)
    return text, {key for key, kind in agreed.items() if kind == "list"}


def _kinds(schema: type, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every key of a schema with `text`, `list` (of text) or `other`."""
    hints = get_type_hints(schema)
    for entry in fields(schema):
        kind = _without_none(hints[entry.name])
        key = f"{prefix}{entry.name}"
        if is_dataclass(kind):
            yield from _kinds(kind if isinstance(kind, type) else type(kind), f"{key}.")
        elif get_origin(kind) is list and get_args(kind) == (str,):
            yield key, "list"
        else:
            yield key, "text" if kind is str else "other"


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        rest = [kind for kind in get_args(hint) if kind is not type(None)]
        return rest[0] if len(rest) == 1 else hint
    return hint


def quote(text: str) -> str:
    """Any text as one value of a Hydra override."""
    # To Hydra a backslash is a plain character except before a quote.
    return "'" + re.sub(r"(\\*)('|$)", _escape, text) + "'"


def _escape(found: re.Match[str]) -> str:
    slashes, end = found.groups()
    return 2 * slashes + end.replace("'", "\\'")
