"""A training that is interrupted, however often, ends as if it had not been."""

from __future__ import annotations

import random
import signal
import time

import pytest

from tests.support.forks import Forks
from tests.support.trainings import outcome, snapshots, wait_for


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    return Forks(tmp_path_factory.mktemp("trainings"))


@pytest.fixture(scope="module")
def uninterrupted(trainings):
    """The outcome of a training that nothing disturbed, and how long it took beyond its start."""
    process = trainings.start("hydra.run.dir=whole")
    wait_for(lambda: snapshots(trainings.path("whole")), process)
    first_step = time.monotonic()
    code, output = process.end()
    assert code == 0, output
    return outcome(trainings.path("whole")), time.monotonic() - first_step


def kill_at_random(trainings: Forks, name: str, rng: random.Random, most: int, span: float):
    """Start the same command until it ends by itself, killing it up to `most` times."""
    kills = 0
    while True:
        process = trainings.start(f"hydra.run.dir={name}")
        before = snapshots(trainings.path(name))
        if kills < most:
            wait_for(lambda known=before: snapshots(trainings.path(name)) != known, process)
            time.sleep(rng.uniform(0, span))
            process.send_signal(signal.SIGKILL)
        code, output = process.end()
        if code == 0:
            return kills, output
        assert code == -signal.SIGKILL, output
        kills += 1


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments_it_ends_with_the_same_bits(trainings, uninterrupted, kills):
    """One training has too few steps for many kills: the next one takes the rest."""
    whole, seconds = uninterrupted
    rng, left = random.Random(kills), kills
    while left > 0:
        name = f"killed{kills}-{left}"
        done, output = kill_at_random(trainings, name, rng, left, 0.1 * seconds)
        assert outcome(trainings.path(name)) == whole
        assert done and "continuing at step" in output
        left -= done
