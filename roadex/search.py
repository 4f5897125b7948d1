"""The command `python -m roadex.search`."""

from __future__ import annotations

from roadex.command.frame import command
from roadex.command.overrides import as_typed, quote
from roadex.config.search import SearchConfig
from roadex.errors import RoadexError
from roadex.extras import install_line


def _trainings_settings(arguments: list[str]) -> list[str]:
    """The settings of the trainings, which follow --, as one list."""
    if "--" not in arguments:
        return arguments
    end = arguments.index("--")
    settings = ",".join(map(quote, as_typed(arguments[end + 1 :], "train")))
    return [*arguments[:end], f"train=[{settings}]"]


@command("search", before=_trainings_settings)
def main(config: SearchConfig) -> None:
    """Find the settings that score best on the validation split, with Optuna.

    Writes search/NAME: study.db (Optuna's storage), a run folder for each trial, trials.csv,
    best.yaml, history.png and importance.png. The same command, given again, continues. What
    follows -- are settings of every training.

    Examples:
      python -m roadex.search trials=20 -- experiment=quickstart trainer.epochs=10
      python -m roadex.search name=net space=architecture sweep.per_gpu=2 -- experiment=quickstart
    """
    try:
        from roadex.sweep.search import search  # optuna takes a second, --help should not
    except ImportError as error:
        raise RoadexError(f"a search needs Optuna: {install_line('sweep')}") from error

    search(config)


if __name__ == "__main__":
    main()
