"""Ranges of numeric settings, declared where the setting is and checked before anything starts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import Field, field, fields, is_dataclass
from typing import Any

from roadex.errors import RoadexError


def bounded(
    default: Any,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
) -> Any:
    """A dataclass field whose value must be >= `least`, <= `most` and > `above` (where given)."""
    return field(default=default, metadata={"least": least, "most": most, "above": above})


def choice(default: str | int, *options: str | int) -> Any:
    """A dataclass field that takes one of the named values."""
    return field(default=default, metadata={"options": options})


def needed() -> Any:
    """A dataclass field that has to be given, though other settings may give it (`${.other}`)."""
    return field(default=None, metadata={"needed": True})


def check_limits(settings: Any, prefix: str = "") -> None:
    """Check every bounded field of a (nested) dataclass instance.

    Raises:
        RoadexError: the first setting out of its range, named by its full key.
    """
    for entry in fields(settings):
        value = getattr(settings, entry.name)
        key = f"{prefix}{entry.name}"
        for name, part in _groups(key, value):
            check_limits(part, f"{name}.")
        if value is None and entry.metadata.get("needed"):
            raise RoadexError(f"{key} is needed: add {key}=VALUE")
        if value is not None:
            _check_value(key, value, entry)


def check_known(settings: Any, prefix: str = "") -> None:
    """Check that a (nested) dataclass instance has no attribute that its class does not declare.

    Raises:
        RoadexError: Hydra's `+key=value` added a setting that nothing reads.
    """
    known = {entry.name for entry in fields(settings)}
    for name, value in vars(settings).items():
        if name not in known:
            raise RoadexError(f"there is no setting '{prefix}{name}': leave it out")
        for key, part in _groups(f"{prefix}{name}", value):
            check_known(part, f"{key}.")


def _groups(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The groups of settings in a value, by their full keys: itself, or those of a dictionary."""
    entries = value.items() if isinstance(value, dict) else ()
    named = [(f"{key}.{name}", item) for name, item in entries] or [(key, value)]
    yield from ((full, group) for full, group in named if is_dataclass(group))


def _check_value(key: str, value: Any, entry: Field[Any]) -> None:
    rules = entry.metadata
    if isinstance(value, float) and math.isnan(value):
        raise RoadexError(f"{key}=nan: must be a number")
    if "options" in rules and value not in rules["options"]:
        raise RoadexError(f"{key}={value}: choose one of {', '.join(map(str, rules['options']))}")
    if rules.get("least") is not None and value < rules["least"]:
        raise RoadexError(f"{key}={value}: must be at least {rules['least']}")
    if rules.get("most") is not None and value > rules["most"]:
        raise RoadexError(f"{key}={value}: must be at most {rules['most']}")
    if rules.get("above") is not None and value <= rules["above"]:
        raise RoadexError(f"{key}={value}: must be more than {rules['above']}")
