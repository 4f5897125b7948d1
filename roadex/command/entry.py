"""Hydra's entry without its printer: what fails is raised, for the frame to put into one line.

`hydra.main` prints every exception and exits with 1, unless HYDRA_FULL_ERROR is set in the
environment. A program that set it for itself would change it for every process that it starts, so
Hydra is driven from here instead, step for step as `hydra.main` does.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from hydra import version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode, TaskFunction

from roadex.config.paths import config_dir
from roadex.errors import RoadexError


def run_hydra(
    options: Namespace, parser: ArgumentParser, task: TaskFunction, config_name: str
) -> None:
    """Do what Hydra's options ask: run the task once or for a sweep, or show the configuration.

    Args:
        options: as Hydra's own `parser` read them.
        task: called with the composed configuration.
        config_name: of the command, unless --config-name gives another.

    Raises:
        RoadexError: --config-dir is no folder, or two options exclude each other.
        HydraException, OmegaConfBaseException: the configuration cannot be composed.
    """
    version.setbase("1.3")
    hydra = _hydra(config_name, options.config_dir)
    name = options.config_name or config_name
    try:
        if options.hydra_help:
            hydra.hydra_help(config_name=name, args_parser=parser, args=options)
        elif options.cfg and not options.multirun:
            hydra.show_cfg(name, options.overrides, options.cfg, options.package, options.resolve)
        elif options.info and not options.multirun:
            hydra.show_info(options.info, config_name=name, overrides=options.overrides)
        elif options.shell_completion:
            hydra.shell_completion(config_name=name, overrides=options.overrides)
        elif options.cfg or options.info or options.resolve:
            raise RoadexError("--cfg, --info and --resolve show settings: leave -m out")
        else:
            _run(hydra, name, task, options)
    finally:
        GlobalHydra.instance().clear()


def _hydra(command: str, folder: str | None) -> Hydra:
    """Hydra with our configuration files, and before them those of a folder."""
    search_path = create_config_search_path(str(config_dir()))
    if folder is not None:
        if not Path(folder).is_dir():
            raise RoadexError(f"--config-dir {folder}: there is no such folder")
        search_path.prepend(
            "command-line", f"file://{Path(folder).absolute()}", SearchPathQuery(provider="schema")
        )
    return Hydra.create_main_hydra2(task_name=command, config_search_path=search_path)


def _run(hydra: Hydra, name: str, task: TaskFunction, options: Namespace) -> None:
    """Run the task once, or with -m (or hydra.mode=MULTIRUN) for each job of a sweep."""
    overrides = options.overrides
    mode = hydra.get_mode(config_name=name, overrides=overrides)
    if mode is None or options.multirun:
        mode = RunMode.MULTIRUN if options.multirun else RunMode.RUN
        overrides = [*overrides, f"hydra.mode={mode.name}"]
    start = hydra.run if mode == RunMode.RUN else hydra.multirun
    start(config_name=name, task_function=task, overrides=overrides)
