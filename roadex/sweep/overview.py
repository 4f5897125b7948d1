"""A sweep as a whole: which trainings are done, how long the rest takes, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from roadex.sweep.jobs import Job
from roadex.sweep.records import RECORDS, Progress, State, progress

SCORE = "test/apls"


@dataclass(frozen=True)
class Overview:
    """Every job of a sweep with how far it has come."""

    sweep: Path
    rows: tuple[tuple[Job, Progress], ...]
    epochs: dict[str, int]

    @property
    def counts(self) -> Counter[State]:
        """How many jobs are in each state."""
        return Counter(progress.state for _, progress in self.rows)

    @property
    def failures(self) -> list[tuple[Job, Progress]]:
        """The jobs that failed."""
        return [(job, done) for job, done in self.rows if done.state is State.failed]

    def seconds_left(self, at_once: int) -> float | None:
        """The work that is left shared among `at_once` jobs; None before any job has finished.

        A job takes what the finished ones of its row took on average, else those of all rows. What
        its history has of it counts as done.
        """
        finished = [(job, done) for job, done in self.rows if done.state is State.finished]
        if not finished:
            return None
        everywhere = fmean(done.seconds for _, done in finished)
        work = []
        for job, done in self.rows:
            if done.state is not State.finished:
                alike = [other.seconds for its, other in finished if its.row == job.row]
                left = 1 - done.epochs / self.epochs.get(job.folder, 1)
                work.append((fmean(alike) if alike else everywhere) * max(left, 0.0))
        return max(sum(work) / at_once, max(work, default=0.0))

    def summary(self, at_once: int) -> str:
        """One line: how many jobs are in which state, and the time left."""
        counts = ", ".join(f"{count} {state.value}" for state, count in self.counts.items())
        left = self.seconds_left(at_once)
        return f"{len(self.rows)} trainings: {counts}{_time_left(left, at_once)}"

    def table(self) -> str:
        """A line for each job."""
        lines = [
            (
                job.row, job.seed, done.state.value,
                f"{done.epochs}/{self.epochs[job.folder]}" if job.folder in self.epochs else "",
                duration(done.seconds) if done.seconds else "", _score(done),
            )
            for job, done in self.rows
        ]  # fmt: skip
        return layout([("settings", "seed", "state", "epochs", "time", "APLS"), *lines])

    def failure_table(self) -> str:
        """What failed and why, and where all that it printed is."""
        lines = [
            (job.title, str(done.record.code) if done.record else "", done.reason)
            for job, done in self.failures
        ]
        where = f"all that they printed: {self.sweep / RECORDS}/SETTINGS/seed-N.log"
        return f"{layout([('failed', 'code', 'why'), *lines])}\n{where}"

    def plain(self, at_once: int) -> dict[str, Any]:
        """The overview as SWEEP/status.json keeps it."""
        return {
            "counts": {state.value: count for state, count in self.counts.items()},
            "seconds_left": self.seconds_left(at_once),
            "at_once": at_once,
            "jobs": [
                {
                    "folder": job.folder,
                    "settings": list(job.varied),
                    "seed": job.seed,
                    "state": done.state.value,
                    "reason": done.reason,
                    "epochs": done.epochs,
                    "of_epochs": self.epochs.get(job.folder),
                    "seconds": round(done.seconds, 1),
                    SCORE: (done.metrics or {}).get(SCORE),
                }
                for job, done in self.rows
            ],
        }


def survey(sweep: Path, jobs: Sequence[Job], epochs: dict[str, int]) -> Overview:
    """Look at the folders of all jobs.

    Args:
        epochs: how many each job trains, by its folder.
    """
    return Overview(sweep, tuple((job, progress(sweep, job)) for job in jobs), epochs)


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(42), duration(750), duration(9000)
    ('42 s', '12 min', '2 h 30 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def layout(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _score(done: Progress) -> str:
    value = (done.metrics or {}).get(SCORE)
    return f"{value:.3f}" if isinstance(value, float) else ""


def _time_left(seconds: float | None, at_once: int) -> str:
    if seconds is None:
        return " (no training has finished yet: the time it takes is not known)"
    return f"; about {duration(seconds)} left, {at_once} at once" if seconds else ""
