"""A search for settings: Optuna chooses them, each trial is a training in a process of its own."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import optuna
from hydra import compose
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from roadex.command.frame import typed
from roadex.command.overrides import quote
from roadex.comparison.search import draw_history, draw_importance
from roadex.config.search import Dimension, SearchConfig
from roadex.config.train import TrainConfig
from roadex.errors import RoadexError
from roadex.files import write_table, write_text
from roadex.sweep.process import stopped_by_signals
from roadex.sweep.slots import parallel_jobs
from roadex.sweep.trial import TrialFailed, run_trial

log = logging.getLogger(__name__)
OVER = (TrialState.COMPLETE, TrialState.PRUNED)
SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed),
    "random": lambda seed: RandomSampler(seed=seed),
}


def search(config: SearchConfig) -> None:
    """Run the remaining trials, and write the results.

    Raises:
        RoadexError: a space that no training has, a folder of another search, or no trial that was
            completed.
    """
    config = replace(config, space={**config.space, **config.vary})
    monitor = _check(config)
    folder = Path("search").resolve() / config.name
    study = _open_study(config, folder)
    _take_up(study)
    left = config.trials - len(study.get_trials(deepcopy=False, states=OVER))
    log.info("search folder %s: %d of %d trials left", folder, max(left, 0), config.trials)
    if left > 0:
        at_once = min(left, parallel_jobs(config.sweep))
        objective = _objective(config, folder, monitor)
        _ask_in_turn(study)
        with stopped_by_signals(folder):
            study.optimize(objective, n_trials=left, n_jobs=at_once, catch=(TrialFailed,))
    _write_results(study, folder)


def _check(config: SearchConfig) -> str:
    """Check that a training accepts the space; returns the name of the validation score."""
    if not config.space:
        raise RoadexError("space: nothing to search; choose space=optimization or another one")
    for key, dimension in config.space.items():
        dimension.check(key)
    first = [
        f"{key}={_literal(dimension.choices[0] if dimension.choices else _low(dimension))}"
        for key, dimension in config.space.items()
    ]
    settings: TrainConfig = typed(compose("train", [*config.train, *first]))
    return settings.trainer.monitor


def _low(dimension: Dimension) -> float | int | None:
    return int(dimension.low or 0) if dimension.whole else dimension.low


def _open_study(config: SearchConfig, folder: Path) -> optuna.Study:
    """The study in a folder, new or continued.

    Raises:
        RoadexError: it is another search's, or its storage is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.db"
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{path}",
            study_name=config.name,
            direction="maximize",
            load_if_exists=True,
            sampler=SAMPLERS[config.sampler](config.seed),
            pruner=_pruner(config),
        )
        about = json.dumps([config.train, {key: asdict(d) for key, d in config.space.items()}])
        # A continued search draws other values than those that it began with.
        study.sampler = SAMPLERS[config.sampler](config.seed + len(study.trials))
        before = study.user_attrs.get("about", about)
    except Exception as error:  # sqlalchemy has many, which optuna does not wrap
        reason = str(error).splitlines()[0]
        raise RoadexError(f"{path}: not a study that can be continued ({reason})") from error
    if before != about:
        raise RoadexError(
            f"{folder} holds a search with other settings or another space=: choose a name="
        )
    study.set_user_attr("about", about)
    return study


def _pruner(config: SearchConfig) -> BasePruner:
    if not config.prune:
        return NopPruner()
    return MedianPruner(config.prune_after_trials, n_warmup_steps=config.prune_after_epochs)


def _take_up(study: optuna.Study) -> None:
    """Requeue the trials that were running when the search was ended, each in its folder."""
    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        study.tell(trial.number, state=TrialState.FAIL)
        attributes = {"folder": folder_name(trial)}
        study.enqueue_trial(trial.params, user_attrs=attributes)


def _ask_in_turn(study: optuna.Study) -> None:
    """Let one thread at a time ask for a trial: from a SQLite file two could get the same one."""
    lock, ask = threading.Lock(), study.ask

    def in_turn(*arguments: Any, **named: Any) -> Trial:
        with lock:
            return ask(*arguments, **named)

    study.ask = in_turn  # type: ignore[method-assign]


def folder_name(trial: Trial | FrozenTrial) -> str:
    """The run folder of a trial: its own number's, or that of the trial which it continues."""
    return str(trial.user_attrs.get("folder", f"trial-{trial.number:04d}"))


def _objective(config: SearchConfig, folder: Path, monitor: str) -> Callable[[Trial], float]:
    """What Optuna calls: one training with the values of a trial; its best validation score."""

    def objective(trial: Trial) -> float:
        values = {key: suggest(trial, key, dim) for key, dim in config.space.items()}
        varied = [f"{key}={_literal(value)}" for key, value in values.items()]
        name = folder_name(trial)
        log.info("%s: %s", name, " ".join(varied))
        shown = ",".join(map(quote, varied))
        tracking = [f"tracking.group={quote(config.name)}", f"tracking.varied=[{shown}]"]
        overrides = [*config.train, *varied, *tracking]
        score = run_trial(trial, overrides, config.sweep, folder, name, f"validation/{monitor}")
        log.info("%s: %s %.4f", name, monitor, score)
        return score

    return objective


def suggest(trial: Trial, key: str, dimension: Dimension) -> Any:
    """Optuna's value of a setting for a trial."""
    if dimension.choices:
        return trial.suggest_categorical(key, dimension.choices)
    assert dimension.low is not None and dimension.high is not None
    if dimension.whole:
        low, high = int(dimension.low), int(dimension.high)
        return trial.suggest_int(key, low, high, log=dimension.log)
    return trial.suggest_float(key, dimension.low, dimension.high, log=dimension.log)


def _literal(value: Any) -> str:
    """A value as Hydra reads it back."""
    if isinstance(value, str):
        return quote(value)
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def _write_results(study: optuna.Study, folder: Path) -> None:
    """Write tables and plots of the trials.

    Raises:
        RoadexError: no trial was completed.
    """
    trials = study.get_trials(deepcopy=False)
    write_table(folder / "trials.csv", [_row(trial) for trial in trials])
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    if not complete:
        raise RoadexError(f"no trial was finished: see their output in {folder}/.sweep")
    best = study.best_trial
    lines = [f"# {folder_name(best)}: {best.value}\n"]
    lines += [f"{key}: {json.dumps(value)}\n" for key, value in best.params.items()]
    write_text(folder / "best.yaml", "".join(lines))
    draw_history([t.value for t in complete if t.value is not None], folder / "history.png")
    draw_importance(importance(study), folder / "importance.png")
    settings = " ".join(f"{key}={_literal(value)}" for key, value in best.params.items())
    log.info("best: %.4f with %s\nsee %s", best.value, settings, folder)


def importance(study: optuna.Study) -> dict[str, float]:
    """The share of each setting in the difference between good and other trials (PED-ANOVA).

    Empty if there are too few trials.
    """
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    try:
        return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
    except (ValueError, RuntimeError) as error:
        log.warning("no importances: %s", error)
        return {}


def _row(trial: FrozenTrial) -> dict[str, Any]:
    seconds = trial.duration.total_seconds() if trial.duration is not None else None
    return {
        "trial": trial.number,
        "folder": folder_name(trial),
        "state": trial.state.name.lower(),
        "score": trial.value,
        "epochs": len(trial.intermediate_values),
        "seconds": None if seconds is None else round(seconds, 1),
        **trial.params,
    }
