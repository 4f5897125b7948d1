"""The command `python -m roadex.search`."""

from __future__ import annotations

import re

from roadex.command.frame import command
from roadex.command.overrides import as_typed, quote, swept, text_settings
from roadex.config.search import SearchConfig
from roadex.errors import RoadexError
from roadex.extras import install_line

GIVEN = "space."
_FUNCTION = re.compile(r"[a-z]+\(")


def _settings(arguments: list[str]) -> list[str]:
    """The arguments with space.KEY=VALUES as the setting `vary`, and what follows -- as `train`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    own, trainings = arguments[:end], as_typed(arguments[end + 1 :], "train")
    given = [line for line in own if line.startswith(GIVEN)]
    own = [line for line in own if line not in given]
    if given and not any(line.startswith("space=") for line in own):
        own.append("~space")  # what is given replaces the usual space
    if given:
        own.append(f"+vary={{{','.join(map(_dimension, given))}}}")
    return [*own, f"train=[{','.join(map(quote, trainings))}]"] if trainings else own


def _dimension(argument: str) -> str:
    """`space.KEY=VALUES` as an entry of `vary`, with listed values as choices, text as it is."""
    key, equals, values = argument.removeprefix(GIVEN).partition("=")
    if not (key and equals and values) or _FUNCTION.match(values):
        raise RoadexError(f"{argument}: write {GIVEN}KEY=A,B,C or {GIVEN}KEY={{low:A,high:B}}")
    if values.startswith("{"):
        return f"{key}:{values}"
    listed = values.removeprefix("[").removesuffix("]")
    is_text = key in text_settings("train")[0]
    choices = ",".join(map(quote, swept(listed))) if is_text else listed
    return f"{key}:{{choices:[{choices}]}}"


@command("search", before=_settings)
def main(config: SearchConfig) -> None:
    """Find the settings that score best on the validation split, with Optuna.

    Writes search/NAME: study.db (Optuna's storage), a run folder for each trial, trials.csv,
    best.yaml, history.png and importance.png. The same command, given again, continues. What
    follows -- are settings of every training. The space is one of space=NAME, or what
    space.KEY=VALUES lists; both together add to each other.

    Examples:
      python -m roadex.search trials=20 -- experiment=quickstart trainer.epochs=10
      python -m roadex.search name=rate 'space.optimizer.lr={low: 1e-4, high: 1e-2, log: true}' \\
          space.model.width=24,32,48 -- experiment=quickstart
      python -m roadex.search name=net space=architecture sweep.per_gpu=2 -- experiment=quickstart
    """
    try:
        from roadex.sweep.search import search  # optuna takes a second, --help should not
    except ImportError as error:
        raise RoadexError(f"a search needs Optuna: {install_line('sweep')}") from error

    search(config)


if __name__ == "__main__":
    main()
