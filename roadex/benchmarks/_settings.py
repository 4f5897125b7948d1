"""The settings of a benchmark from its command line."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar, cast

from omegaconf import OmegaConf

from roadex.command.refusal import CONFIG_ERRORS, refusal
from roadex.config.limits import check_limits
from roadex.errors import RoadexError

Schema = TypeVar("Schema", bound=Any)


def parse_settings(schema: type[Schema], overrides: list[str]) -> Schema:
    """The defaults of a dataclass, changed by `key=value`.

    Raises:
        RoadexError: an unknown setting, or one of the wrong type or out of its range.
    """
    known = [entry.name for entry in fields(schema)]
    for override in overrides:
        if override.partition("=")[0] not in known:
            raise RoadexError(f"there is no setting '{override}': choose from {', '.join(known)}")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(schema), OmegaConf.from_dotlist(overrides))
        settings = cast(Schema, OmegaConf.to_object(merged))
    except CONFIG_ERRORS as error:
        raise RoadexError(refusal(error)) from error
    check_limits(settings)
    return settings
