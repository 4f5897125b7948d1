"""The sweep as a whole: the time that is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from roadex.sweep.jobs import expand
from roadex.sweep.overview import Overview, duration
from roadex.sweep.records import Progress, State


def overview(*states: Progress) -> Overview:
    jobs = expand(["model.stacks=1,2", "seed=0,1"], seed=0)
    rows = tuple(zip(jobs, states, strict=True))
    return Overview(Path("x"), rows, {job.folder: 10 for job in jobs})


WAITING = Progress(State.waiting)
DONE = Progress(State.finished, epochs=10, seconds=100.0, metrics={"test/apls": 0.5})


def test_time_left_is_not_known_before_a_training_has_finished():
    assert overview(WAITING, WAITING, WAITING, WAITING).seconds_left(1) is None


def test_time_left_counts_alike_trainings_first_and_what_is_done_of_each():
    slow = Progress(State.finished, epochs=10, seconds=300.0)
    half = Progress(State.unfinished, epochs=5)
    # stacks=1 takes 100 s, of which half is done; stacks=2 takes 300 s.
    sweep = overview(DONE, slow, half, WAITING)
    assert sweep.seconds_left(1) == pytest.approx(50 + 300)
    # Two at once cannot be faster than the longest.
    assert sweep.seconds_left(2) == pytest.approx(300)
    # No training of stacks=2 has finished: it is expected to take what the others took.
    assert overview(DONE, WAITING, DONE, WAITING).seconds_left(2) == pytest.approx(100)


def test_nothing_is_left_of_a_finished_sweep():
    sweep = overview(DONE, DONE, DONE, DONE)
    assert sweep.seconds_left(1) == 0
    assert sweep.summary(1) == "4 trainings: 4 finished"
    assert "stacks-1  0     finished  10/10   100 s  0.500" in sweep.table().replace(
        "2 min", "100 s"
    )


def test_failures_are_a_table_that_says_why():
    failed = Progress(State.failed, reason="no such folder")
    lines = overview(DONE, failed, DONE, DONE).failure_table().splitlines()
    assert lines[1].startswith("model.stacks=2 seed=0") and "no such folder" in lines[1]


def test_durations_are_said_as_people_say_them():
    assert [duration(s) for s in (42, 750, 9000)] == ["42 s", "12 min", "2 h 30 min"]
