"""The command `python -m roadex.search`."""

from __future__ import annotations

import sys

from roadex.command.frame import command
from roadex.config.search import SearchConfig
from roadex.sweep.jobs import quote


@command("search")
def run(config: SearchConfig) -> None:
    """Find the settings that score best on the validation split, with Optuna.

    Writes search/NAME: study.db (Optuna's storage), a run folder for each trial, trials.csv,
    best.yaml, history.png and importance.png. The same command goes on where it was ended. What
    follows -- are settings of every training.

    Examples:
      python -m roadex.search trials=20 -- experiment=quickstart trainer.epochs=10
      python -m roadex.search name=net space=architecture sweep.per_gpu=2 -- experiment=quickstart
    """
    from roadex.sweep.search import search  # optuna takes a second, --help should not

    search(config)


def main() -> None:
    """Run the command line; Hydra takes the settings of the trainings as one list."""
    if "--" in sys.argv:
        end = sys.argv.index("--")
        settings = ",".join(map(quote, sys.argv[end + 1 :]))
        sys.argv[end:] = [f"train=[{settings}]"]
    run()


if __name__ == "__main__":
    main()
