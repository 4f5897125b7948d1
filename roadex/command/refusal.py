"""Hydra's and OmegaConf's long error messages as one line that names the key and the remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    GrammarParseError,
    InterpolationResolutionError,
    OmegaConfBaseException,
    ValidationError,
)

from roadex.command.help import group_choices
from roadex.config.names import RENAMED
from roadex.config.paths import config_dir
from roadex.config.schemas import schemas
from roadex.errors import RoadexError
from roadex.extras import install_line

_TIMM_ONLY = ("backbone.pretrained", "backbone.name", "backbone.weights", "backbone.detail")
_SEE_HELP = ": --help lists the groups"
CONFIG_ERRORS = (HydraException, OmegaConfBaseException)


def refusal(error: Exception) -> str:
    """One line for a configuration error of Hydra or OmegaConf."""
    cause = _omegaconf_cause(error)
    if isinstance(cause, (ValidationError, GrammarParseError, InterpolationResolutionError)):
        return f"{cause.full_key}: {_first_line(cause)}"
    if isinstance(error, MissingConfigException):
        return _missing_choice(error)
    if isinstance(error, OverrideParseException):
        return f"'{error.override}' is not an override: write key=value"
    key = _unknown_key(error, cause)
    if key in RENAMED:
        return f"{key} is now {RENAMED[key]}"
    if key in _TIMM_ONLY:
        return f"{key} is a setting of timm's encoders: add backbone=timm (or lite0, resnet34, ...)"
    if key:
        known = known_keys()
        if key in known:
            return f"'{key}' is a setting of other commands, not of this one{_SEE_HELP}"
        return f"there is no setting '{key}'{_suggest(key, known)}"
    return _first_line(error)


def check_parents(overrides: Sequence[str], command: str) -> None:
    """Refuse settings below a group that is not chosen, as `dataset.gsd=1` without a dataset.

    Raises:
        RoadexError: names the first of them.
    """
    schema = OmegaConf.structured(schemas()[command])
    chosen = {re.split("[=@]", each.lstrip("+"))[0] for each in overrides if "=" in each}
    for override in overrides:
        key = override.lstrip("+~").split("=")[0]
        group = key.split(".")[0]
        if group != key and group not in chosen and OmegaConf.select(schema, group) is None:
            raise RoadexError(
                f"{override}: no {group} is chosen whose setting this could be: add "
                f"{group}=NAME, or leave {key} out"
            )


def known_keys() -> list[str]:
    """Every key of every schema, with the group as its prefix."""
    found: list[str] = []
    for name, schema in schemas().items():
        group = name.split("/")[0]
        prefix = "" if "/" not in name else f"{group}."
        found += [prefix + key for key in _keys(OmegaConf.structured(schema))]
    return sorted(set(found))


def _keys(node: DictConfig) -> Iterable[str]:
    for key in map(str, node):
        yield key
        child = node._get_node(key)
        if isinstance(child, DictConfig) and not (child._is_missing() or child._is_none()):
            yield from (f"{key}.{below}" for below in _keys(child))


def _omegaconf_cause(error: BaseException | None) -> OmegaConfBaseException | None:
    while error is not None and not isinstance(error, OmegaConfBaseException):
        error = error.__cause__ or error.__context__
    return error


def _unknown_key(error: Exception, cause: OmegaConfBaseException | None) -> str | None:
    if cause is not None and cause.full_key:
        return str(cause.full_key)
    found = re.search(r"Could not (?:override|append|delete)[^']*'([^']+)'", str(error))
    return found.group(1) if found else None


def _missing_choice(error: MissingConfigException) -> str:
    missing = error.missing_cfg_file or ""
    if missing in ("hydra/launcher/joblib", "hydra/launcher/submitit_slurm"):
        return f"this launcher needs a package: {install_line('sweep')}"
    group, _, name = missing.rpartition("/")
    options = [name for name in group_choices(group) if "/" not in name]
    if not group or not options:
        groups = sorted(path.name for path in config_dir().iterdir() if path.is_dir())
        return f"there is no configuration '{missing}'{_suggest(missing, groups)}"
    return f"{group}={name}: there is no such choice; choose one of {', '.join(options)}"


def _suggest(word: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f": did you mean '{near[0]}'?" if near else _SEE_HELP


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]
