"""The progress of a running sweep: a line for each change, and SWEEP/status.json."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from roadex.errors import RoadexError
from roadex.files import write_json
from roadex.sweep.overview import Overview, duration
from roadex.sweep.records import Progress, State

log = logging.getLogger(__name__)
EVERY_SECONDS = 2.0


class Watch:
    """Looks at the jobs' folders while its `with` block runs, from a thread of its own."""

    def __init__(self, look: Callable[[], Overview], at_once: int, status: Path) -> None:
        self.look = look
        self.at_once = at_once
        self.status = status
        self._told: dict[str, tuple[State, int]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        """Note how things are, and start to watch."""
        for job, done in self.look().rows:
            self._told[job.folder] = (done.state, done.epochs)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop watching; the last changes are told first."""
        self._end.set()
        self._thread.join()
        self.tell()

    def tell(self) -> None:
        """Print what has changed since the last time, and keep the overview."""
        overview = self.look()
        lines = []
        for job, done in overview.rows:
            now = (done.state, done.epochs)
            if now != self._told.get(job.folder):
                self._told[job.folder] = now
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
