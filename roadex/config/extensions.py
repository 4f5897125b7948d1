"""Models and datasets that other installed packages bring, by entry points.

A package names an `Extension` in the group `roadex.models` or `roadex.datasets`; the entry point's
name is the choice (`model=NAME`), and its file is conf/model/NAME.yaml beside the module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from roadex.errors import RoadexError

# The group of settings by its group of entry points.
GROUPS = {"model": "roadex.models", "dataset": "roadex.datasets"}


@dataclass(frozen=True)
class Extension:
    """A model or a dataset of another package.

    Attributes:
        schema: dataclass of its settings: a `ModelConfig` or `DatasetConfig` whose `name` or `kind`
            is the entry point's name.
        build: of a model, (settings, backbone settings) to a module that keeps to
            roadex/models/contract.py; of a dataset, settings to a `Source`.
    """

    schema: type
    build: Callable[..., Any]


@cache
def extensions(group: str) -> Mapping[str, Extension]:
    """The extensions of `model` or `dataset` by name.

    Raises:
        RoadexError: a package cannot be imported, or names something else.
    """
    return {point.name: _loaded(point) for point in entry_points(group=GROUPS[group])}


def together(group: str, own: Mapping[str, Any], brought: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a group: roadex's own and those of other packages.

    Raises:
        RoadexError: a name is used twice.
    """
    if twice := sorted(set(own) & set(brought)):
        raise RoadexError(
            f"{group}={twice[0]} is one of roadex's own: the entry point {GROUPS[group]} of that "
            "name in another package needs another name"
        )
    return {**own, **brought}


@cache
def extension_folders() -> tuple[Path, ...]:
    """The folders `conf` of the packages that bring extensions, without importing them."""
    points = [point for name in GROUPS.values() for point in entry_points(group=name)]
    return tuple(dict.fromkeys(_folder(point) for point in points))


def _folder(point: EntryPoint) -> Path:
    top = point.module.partition(".")[0]
    spec = find_spec(top)
    if spec is None or spec.origin is None:
        raise _broken(point, f"there is no package {top}")
    return Path(spec.origin).parent / "conf"


def _loaded(point: EntryPoint) -> Extension:
    try:
        loaded = point.load()
    except Exception as error:
        raise _broken(point, f"{type(error).__name__}: {error}") from error
    if not isinstance(loaded, Extension) or not is_dataclass(loaded.schema):
        raise _broken(point, "it names no roadex.config.extensions.Extension with a dataclass")
    return loaded


def _broken(point: EntryPoint, reason: str) -> RoadexError:
    package = point.dist.name if point.dist else point.module
    return RoadexError(
        f"{package}: its entry point {point.group} {point.name} = {point.value} cannot be used "
        f"({reason}): repair or uninstall that package"
    )
