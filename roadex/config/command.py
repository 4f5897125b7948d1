"""The frame around every command: composition, typed settings, and errors as one line."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import hydra
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from roadex.config.help import help_text
from roadex.config.limits import check_limits
from roadex.config.paths import config_dir
from roadex.config.refusal import CONFIG_ERRORS, refusal
from roadex.config.store import register_schemas
from roadex.errors import RoadexError

BAD_INPUT = 2
INTERRUPTED = 130
Config = TypeVar("Config")

register_schemas()
log = logging.getLogger(__name__)


def command(config_name: str) -> Callable[[Callable[[Config], None]], Callable[[], None]]:
    """Turn a function of a typed configuration into a command line.

    The function's docstring is what `--help` prints. Bad input ends the process with one line on
    standard error and exit code 2; HYDRA_FULL_ERROR=1 shows the traceback instead.
    """

    def decorate(run: Callable[[Config], None]) -> Callable[[], None]:
        def main() -> None:
            module = run.__module__ if run.__module__ != "__main__" else f"roadex.{config_name}"
            if {"-h", "--help"} & set(sys.argv[1:]):
                print(help_text(run, config_name, module))
                return
            sys.exit(_run_hydra(run, config_name))

        main.__doc__ = run.__doc__
        return main

    return decorate


def typed(config: DictConfig) -> Any:
    """The configuration as instances of its schemas, complete and with every value in its range.

    Raises:
        RoadexError: a value out of its range.
        MissingMandatoryValue: a mandatory setting without a value.
    """
    missing = OmegaConf.missing_keys(config)
    if missing:
        raise MissingMandatoryValue(f"missing {sorted(missing)[0]}")
    settings = OmegaConf.to_object(config)
    check_limits(settings)
    return settings


def _run_hydra(run: Callable[[Any], None], config_name: str) -> int:
    """Run under Hydra and give the exit code. Hydra must raise, not print, for us to translate."""
    traceback_wanted = os.environ.get("HYDRA_FULL_ERROR") == "1"
    os.environ["HYDRA_FULL_ERROR"] = "1"
    codes: list[int] = []

    def task(config: DictConfig) -> int:
        codes.append(0 if traceback_wanted else BAD_INPUT)
        if traceback_wanted:
            run(typed(config))
        else:
            codes[-1] = _guarded(lambda: run(typed(config)))
        return codes[-1]

    start = hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=config_name)
    if traceback_wanted:
        start(task)()
        return 0
    return _guarded(start(task)) or max(codes, default=0)


def _guarded(action: Callable[[], Any]) -> int:
    try:
        action()
    except RoadexError as error:
        return _refuse(str(error))
    except CONFIG_ERRORS as error:
        return _refuse(refusal(error))
    except KeyboardInterrupt:
        _refuse("stopped")
        return INTERRUPTED
    return 0


def _refuse(line: str) -> int:
    print(f"roadex: {line}", file=sys.stderr)
    return BAD_INPUT
