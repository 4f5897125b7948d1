"""A sweep as a whole: which trainings are done, how long the rest takes, and what failed.

While it runs, a line reports each change and SWEEP/status.json holds the progress.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Any

from roadex.errors import RoadexError
from roadex.files import write_json
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
        """The time left with `at_once` jobs at a time; None before any job has finished.

        A job takes as long as the finished ones of its row on average, else those of all rows.
        The epochs in its history count as done.
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
        """What failed and why, and where its output is."""
        lines = [
            (job.title, str(done.record.code) if done.record else "", done.reason)
            for job, done in self.failures
        ]
        where = f"their output: {self.sweep / RECORDS}/SETTINGS/seed-N.log"
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
    """Seconds in the form that people use.

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


log = logging.getLogger(__name__)
EVERY_SECONDS = 2.0


class Watch:
    """Looks at the jobs' folders while its `with` block runs, from a thread of its own."""

    def __init__(self, look: Callable[[], Overview], at_once: int, status: Path) -> None:
        self.look = look
        self.at_once = at_once
        self.status = status
        self._printed: dict[str, tuple[State, int]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        """Note how things are, and start to watch."""
        for job, done in self.look().rows:
            self._printed[job.folder] = (done.state, done.epochs)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop watching; the last changes are printed first."""
        self._end.set()
        self._thread.join()
        self.tell()

    def tell(self) -> None:
        """Print what has changed since the last time, and keep the overview."""
        overview = self.look()
        lines = []
        for job, done in overview.rows:
            now = (done.state, done.epochs)
            if now != self._printed.get(job.folder):
                self._printed[job.folder] = now
                lines.append(f"{job.title}: {_line(done, overview.epochs.get(job.folder))}")
        if lines:  # printed, since launchers take the log over
            print("\n".join([*lines, f"  {overview.summary(self.at_once)}"]), flush=True)
        write_json(self.status, overview.plain(self.at_once))

    def _run(self) -> None:
        while not self._end.wait(EVERY_SECONDS):
            try:
                self.tell()
            except (RoadexError, OSError) as error:  # a full disk must not end the watch
                log.warning("%s", error)


def _line(done: Progress, epochs: int | None) -> str:
    if done.state is State.finished:
        score = (done.metrics or {}).get("test/apls")
        shown = f", APLS {score:.3f}" if isinstance(score, float) else ""
        return f"finished in {duration(done.seconds)}{shown}"
    if done.state is State.failed:
        return f"failed: {done.reason}"
    if done.state is State.running and done.epochs:
        return f"epoch {done.epochs} of {epochs}"
    result: str = done.state.value
    return result
