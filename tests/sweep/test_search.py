"""The search for settings: pruning, resuming, and its files."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest
import yaml
from hydra import compose, initialize_config_dir

from roadex.command.frame import typed
from roadex.command.overrides import as_typed
from roadex.config.paths import config_dir
from roadex.config.search import Dimension, SearchConfig
from roadex.errors import RoadexError
from roadex.search import _settings
from roadex.sweep.search import _ask_in_turn, suggest
from roadex.sweep.trial import PruningWatch
from tests.support.trainings import TINY, wait_for
from tests.support.worlds import write_folder


def asked(*values: float) -> optuna.Study:
    """A study with a finished trial for each value, reported at epoch 1."""
    pruner = optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=0)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    for value in values:
        trial = study.ask()
        trial.report(value, 1)
        study.tell(trial, value)
    return study


@pytest.mark.parametrize(("score", "pruned"), [(0.1, True), (0.9, False)])
def test_a_training_below_the_median_is_stopped(tmp_path, monkeypatch, score, pruned):
    monkeypatch.setattr("roadex.sweep.trial.LOOK_SECONDS", 0.05)
    history = tmp_path / "history.csv"
    watch = PruningWatch(asked(0.5, 0.6, 0.7).ask(), history, "validation/f1")
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(2)"])
    with watch.watching(process):
        history.write_text(f"epoch,validation/f1\n1,{score}\n2,\n")
        code = process.wait()
    assert watch.pruned is pruned and (code < 0) is pruned
    assert watch.report() is False, "no score is reported twice"


def test_dimensions_ask_optuna_for_what_they_say():
    trial = asked().ask()
    rate = suggest(trial, "optimizer.lr", Dimension(low=1e-4, high=1e-2, log=True))
    stacks = suggest(trial, "model.stacks", Dimension(low=1, high=4, whole=True))
    assert 1e-4 <= rate <= 1e-2 and stacks in range(1, 5) and isinstance(stacks, int)
    assert suggest(trial, "loss", Dimension(choices=["paper"])) == "paper"
    assert trial.distributions["optimizer.lr"].log


@pytest.mark.parametrize(
    "dimension", [Dimension(), Dimension(low=2, high=1), Dimension(low=0, high=1, log=True)]
)
def test_impossible_dimensions_are_refused(dimension):
    with pytest.raises(RoadexError, match=r"space: optimizer\.lr"):
        dimension.check("optimizer.lr")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["space.model.width=24,32"], {"model.width": [24, 32]}),
        (["space.optimizer.lr={low: 1e-4, high: 1e-2, log: true}"], {"optimizer.lr": (1e-4, 1e-2)}),
        (["space.backbone=paper,lite0"], {"backbone": ["paper", "lite0"]}),
        (["space.name=2022_01_05,1e3,été (2)"], {"name": ["2022_01_05", "1e3", "été (2)"]}),
        (
            ["space=architecture", "space.model.depth=[2]", "space.seed=0,1"],
            {"model.stacks": (1, 4), "model.depth": [2], "seed": [0, 1]},
        ),
    ],
)
def test_a_space_is_given_on_the_command_line(given, found):
    arguments = as_typed(_settings([*given, "trials=3", "--", "name=0.10"]), "search")
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        config: SearchConfig = typed(compose("search", arguments))
    assert config.trials == 3 and config.train == ["name='0.10'"]
    space = {**config.space, **config.vary}
    assert {key: space[key].choices or (space[key].low, space[key].high) for key in found} == found
    assert "space=architecture" in given or space.keys() == found.keys()


@pytest.mark.parametrize("given", ["space.=1", "space.seed=", "space.seed=interval(1,2)"])
def test_a_space_that_says_nothing_is_refused(given):
    with pytest.raises(RoadexError, match=re.escape(f"{given}: write space.KEY=A,B,C")):
        _settings([given])


def search(cwd: Path, *settings: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "ROADEX_CACHE": str(cwd / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "roadex.search", *settings, "--", *TINY]
    return subprocess.Popen(
        command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def test_threads_that_ask_at_once_get_trials_of_their_own(tmp_path):
    study = optuna.create_study(storage=f"sqlite:///{tmp_path}/study.db")
    for value in range(6):
        study.enqueue_trial({"x": value})
    _ask_in_turn(study)
    with ThreadPoolExecutor(6) as pool:
        trials = list(pool.map(lambda _: study.ask(), range(6)))
    assert sorted(trial.number for trial in trials) == list(range(6))


def test_search_goes_on_where_it_was_ended_and_tells_what_was_best(tmp_path):
    write_folder(tmp_path, 30)
    found = tmp_path / "search" / "search"
    killed = search(tmp_path, "trials=2", "prune=false")
    wait_for(lambda: (found / "trial-0000" / "history.csv").exists(), killed, seconds=600)
    os.killpg(killed.pid, signal.SIGINT)  # Ctrl-C of a terminal reaches the whole group
    printed, _ = killed.communicate()
    assert killed.returncode == 130 and "Traceback" not in printed
    assert "stopped by SIGINT: the same command continues" in printed
    process = search(tmp_path, "trials=2", "prune=false")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert "best: " in output and "2 of 2 trials left" in output
    assert "continuing" in (found / ".sweep" / "trial-0000.log").read_text()
    rows = list(csv.DictReader((found / "trials.csv").open()))
    assert [row["state"] for row in rows] == ["fail", "complete", "complete"]
    assert rows[1]["folder"] == "trial-0000", "what was cut off is gone on with"
    assert rows[1]["optimizer.lr"] == rows[0]["optimizer.lr"]
    best = yaml.safe_load((found / "best.yaml").read_text())
    assert set(best) == {
        "optimizer.lr",
        "optimizer.weight_decay",
        "trainer.ema",
        "loss.connectivity",
    }
    assert (found / "history.png").stat().st_size > 1000
    process = search(tmp_path, "trials=2", "space=architecture")
    output, _ = process.communicate()
    assert process.returncode == 2 and "holds a search with other settings" in output


def test_a_space_that_no_training_has_is_refused_in_one_line(tmp_path):
    own = tmp_path / "own" / "space"
    own.mkdir(parents=True)
    (own / "colours.yaml").write_text("colour: {choices: [1]}\n")
    process = search(tmp_path, "--config-dir", str(own.parent), "space=colours")
    output, _ = process.communicate()
    assert process.returncode == 2 and output.count("\n") == 1
    assert "there is no setting 'colour'" in output and not (tmp_path / "search").exists()
