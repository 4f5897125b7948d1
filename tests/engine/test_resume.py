"""A training that is interrupted, however often, ends as if it had not been."""

from __future__ import annotations

import random
import signal
import time

import pytest

from tests.engine.trainings import Trainings, outcome, snapshots, wait_for


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    return Trainings(tmp_path_factory.mktemp("trainings"))


@pytest.fixture(scope="module")
def uninterrupted(trainings):
    """The outcome of a training that nothing disturbed, and how long it took beyond its start."""
    process = trainings.start("hydra.run.dir=whole")
    wait_for(lambda: snapshots(trainings.path("whole")), process)
    first_step = time.monotonic()
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return outcome(trainings.path("whole")), time.monotonic() - first_step


def kill_at_random(trainings: Trainings, name: str, settings: list[str], most: int, span: float):
    """Start the same command until it ends by itself, killing it up to `most` times."""
    rng = random.Random(name)
    kills = 0
    while True:
        process = trainings.start(f"hydra.run.dir={name}", *settings)
        before = snapshots(trainings.path(name))
        if kills < most:
            wait_for(lambda known=before: snapshots(trainings.path(name)) != known, process)
            time.sleep(rng.uniform(0, span))
            process.kill()
        output, _ = process.communicate()
        if process.returncode == 0:
            return kills, output
        assert process.returncode == -signal.SIGKILL, output
        kills += 1


@pytest.mark.parametrize(
    ("kills", "share"), [(2, 0.3), pytest.param(20, 0.1, marks=pytest.mark.slow)]
)
def test_killed_at_random_moments_it_ends_with_the_same_bits(
    trainings, uninterrupted, kills, share
):
    whole, seconds = uninterrupted
    name = f"killed{kills}"
    done, output = kill_at_random(trainings, name, [], kills, share * seconds)
    assert done == kills or done >= 2, output
    assert outcome(trainings.path(name)) == whole
    assert "continuing at step" in output
