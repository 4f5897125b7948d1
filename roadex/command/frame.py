"""The frame around every command: composition, typed settings, and errors as one line."""

from __future__ import annotations

import atexit
import errno
import getpass
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from roadex import __version__
from roadex.command.config_files import check_configuration_files
from roadex.command.entry import run_hydra
from roadex.command.help import help_text
from roadex.command.overrides import as_typed, quote
from roadex.command.refusal import CONFIG_ERRORS, check_parents, refusal
from roadex.config.extensions import extension_folders
from roadex.config.limits import check_known, check_limits
from roadex.config.schemas import register_schemas, restore_training, schemas
from roadex.errors import BAD_INPUT, INTERRUPTED, PREEMPTED, Preempted, RoadexError
from roadex.files import is_readable
from roadex.runs.names import discard_unused

UNWRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT)
Config = TypeVar("Config")

register_schemas()
log = logging.getLogger(__name__)

# What OmegaConf says of a setting below one that is null.
_OMEGACONF_NOTHING_THERE = "Unexpected type for root: NoneType"


def command(
    config_name: str, before: Callable[[list[str]], list[str]] = list
) -> Callable[[Callable[[Config], None]], Callable[[], None]]:
    """Turn a function of a typed configuration into a command line.

    `before` may change the arguments before they are read.

    The function's docstring is what `--help` prints. Bad input ends the process with one line on
    standard error and exit code 2; HYDRA_FULL_ERROR=1 shows the traceback instead.
    """

    def decorate(run: Callable[[Config], None]) -> Callable[[], None]:
        def main() -> None:
            module = run.__module__ if run.__module__ != "__main__" else f"roadex.{config_name}"
            arguments = sys.argv[1:]
            if {"-h", "--help"} & set(arguments):
                print(help_text(run, config_name, module))
                return
            if "--version" in arguments:
                print(f"roadex {__version__}")
                return
            _name_user()
            sys.exit(_run(run, config_name, arguments, before))

        main.__doc__ = run.__doc__
        return main

    return decorate


def _name_user() -> None:
    """Name a user that the system does not know, as in containers; libraries ask for the name."""
    try:
        getpass.getuser()
    except (KeyError, OSError, ImportError):
        os.environ["USER"] = f"user-{os.getuid()}"


def typed(config: DictConfig) -> Any:
    """The configuration as instances of its schemas, complete and with every value in its range.

    Raises:
        RoadexError: a setting without a value, one that was added with `+` but no schema has, or a
            value out of its range.
    """
    missing = OmegaConf.missing_keys(config)
    if missing:
        key = min(missing)
        raise RoadexError(f"{key} is needed: add {key}=VALUE")
    if config and OmegaConf.get_type(config) is dict:  # RUN/config.yaml, by --config-dir RUN
        plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
        settings: Any = restore_training(plain, "config.yaml")
    else:
        settings = OmegaConf.to_object(config)
    check_known(settings)
    check_limits(settings)
    return settings


def _run(
    run: Callable[[Any], None],
    config_name: str,
    arguments: list[str],
    before: Callable[[list[str]], list[str]],
) -> int:
    """Run under Hydra and give the exit code."""
    traceback_wanted = os.environ.get("HYDRA_FULL_ERROR") == "1"
    logging.raiseExceptions = False  # a full disk breaks the log, too; the run says so in one line
    codes: list[int] = []

    def task(config: DictConfig) -> int:
        folder = Path(HydraConfig.get().runtime.output_dir)
        is_new = _is_new(folder)
        if traceback_wanted:
            run(typed(config))
        else:
            codes.append(_guarded(lambda: run(typed(config))))
        if codes and codes[-1] in (PREEMPTED, INTERRUPTED):
            sys.exit(codes[-1])  # a sweep must not go on to its next job
        if is_new:
            discard_unused(folder)
        return max(codes, default=0)

    def start() -> None:
        register_schemas(schemas())
        own = [*_search_path(), *as_typed(before(arguments), config_name)]
        typed_arguments = [*own, *_follower_settings()]
        parser = get_args_parser()
        parsed = parser.parse_args(typed_arguments)
        check_configuration_files(parsed.config_dir, parsed.config_name, parsed.config_path)
        try:
            run_hydra(parsed, parser, task, config_name)
        except AssertionError as error:
            if _OMEGACONF_NOTHING_THERE in str(error):
                check_parents(parsed.overrides, config_name)
            raise

    if traceback_wanted:
        start()
        return 0
    return _guarded(start) or max(codes, default=0)


def _search_path() -> list[str]:
    """The configuration folders of other packages' models and datasets, as Hydra's override."""
    folders = ",".join(quote(f"file://{folder}") for folder in extension_folders())
    return [f"hydra.searchpath=[{folders}]"] if folders else []


def _follower_settings() -> list[str]:
    """Of the processes of torchrun the first has the run folder; the others log only warnings."""
    if os.environ.get("RANK", "0") == "0":
        return []
    folder = tempfile.mkdtemp(prefix="roadex-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    quiet = ["hydra/job_logging=console", "hydra.job_logging.root.level=WARNING"]
    return [f"hydra.run.dir={folder}", *quiet]


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
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return _refuse(f"{str(error.filename)[:60]}...: the name is too long: shorten it")
        if error.errno not in UNWRITABLE:
            raise
        where = error.filename or "a file"
        if error.errno in (errno.EACCES, errno.EPERM) and not is_readable(Path(where)):
            return _refuse(f"{where} cannot be read ({error.strerror}): let this user read it")
        return _refuse(f"{where} cannot be written ({error.strerror}): choose another folder")
    except Preempted as signal:
        _refuse(f"stopped by {signal}: the same command continues")
        return signal.code
    return 0


def _is_new(folder: Path) -> bool:
    """Whether a folder holds nothing but the log file that was just opened."""
    return not any(path.is_dir() or path.stat().st_size for path in folder.iterdir())


def _refuse(line: str) -> int:
    print(f"roadex: {line}", file=sys.stderr)
    return BAD_INPUT
