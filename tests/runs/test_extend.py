"""A run is continued by its name: as it was, or with more epochs."""

from __future__ import annotations

import csv

import pytest

from tests.support.forks import Forks, Training
from tests.support.trainings import outcome


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    return Forks(tmp_path_factory.mktemp("extended"))


def resume(trainings: Forks, *settings: str) -> tuple[int, str]:
    """With these settings alone."""
    cache = {"ROADEX_CACHE": str(trainings.folder / "cache")}
    return Training(trainings.folder, [*settings], cache).end()


@pytest.fixture(scope="module")
def whole(trainings):
    code, output = trainings.run("hydra.run.dir=whole", "scheduler=constant", "trainer.epochs=3")
    assert code == 0, output
    return trainings.path("whole")


def test_a_finished_run_goes_on_to_more_epochs_as_if_it_had_been_asked_at_once(trainings, whole):
    settings = ["scheduler=constant", "trainer.epochs=2", "trainer.extendable=true"]
    code, output = trainings.run("hydra.run.dir=part", *settings)
    assert code == 0, output
    code, output = resume(trainings, "resume=part", "trainer.epochs=3")
    assert code == 0 and "continuing at step 12" in output, output
    assert outcome(trainings.path("part")) == outcome(whole)
    rows = list(csv.DictReader((trainings.path("part") / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["trainer.epochs=9"], "not kept (trainer.extendable=true)"),
        (["model.width=8"], "that run has model.width=16, not 8: leave it out"),
        (["optimizer=sgd"], "that run has optimizer."),
        (["resume=nowhere"], "no run there"),
    ],
)
def test_what_cannot_continue_is_refused_and_nothing_changed(trainings, whole, settings, complaint):
    before = outcome(whole)
    named = [] if settings[0].startswith("resume=") else ["resume=whole"]
    code, output = resume(trainings, *named, *settings)
    assert code == 2 and complaint in output, output
    assert outcome(whole) == before
