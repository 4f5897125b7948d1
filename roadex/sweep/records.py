"""What is known of a sweep and of each of its trainings, kept beside the run folders."""

from __future__ import annotations

import csv
import json
import platform
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from roadex.errors import PREEMPTED, RoadexError
from roadex.files import is_process, read_json, write_json
from roadex.sweep.jobs import Job

RECORDS = ".sweep"
# The line in a job's log before the output of each of its processes.
START = "=== started"


class State(Enum):
    """How far a training has come."""

    waiting = "waiting"
    running = "running"
    finished = "finished"
    unfinished = "unfinished"
    failed = "failed"


@dataclass
class Record:
    """A job's process: times in seconds since 1970, `code` None while it runs."""

    host: str
    pid: int
    started: float
    ended: float | None = None
    code: int | None = None
    gpus: str | None = None
    # The number of the SLURM job that it is part of.
    slurm: str | None = None
    # See `roadex.files.began_at`: a number comes again.
    began: int | None = None


@dataclass(frozen=True)
class Progress:
    """A training as recorded in its files.

    Attributes:
        reason: why it failed.
        epochs: those in its history.
        seconds: its duration, so far or in all.
        metrics: the scores of a finished one.
    """

    state: State
    reason: str = ""
    epochs: int = 0
    seconds: float = 0.0
    metrics: dict[str, Any] | None = None
    record: Record | None = None


def record_path(sweep: Path, folder: str) -> Path:
    """The record of the job whose run folder is SWEEP/`folder`."""
    return sweep / RECORDS / f"{folder}.json"


def log_path(sweep: Path, folder: str) -> Path:
    """What the job's processes printed."""
    return sweep / RECORDS / f"{folder}.log"


def write_record(sweep: Path, folder: str, record: Record) -> None:
    """Keep the record of a job."""
    write_json(record_path(sweep, folder), asdict(record))


def read_record(sweep: Path, folder: str) -> Record | None:
    """The record of a job; None where it was never started, or the file is damaged."""
    content = read_json(record_path(sweep, folder))
    try:
        return None if content is None else Record(**content)
    except TypeError:
        return None


def all_records(sweep: Path) -> list[Record]:
    """The records of all jobs of a sweep."""
    folder = sweep / RECORDS
    names = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.json")]
    records = [read_record(sweep, str(name)) for name in names]
    return [record for record in records if record is not None]


def forget(sweep: Path, jobs: Sequence[Job]) -> None:
    """Remove the records of earlier attempts; what the trainings themselves keep stays."""
    for job in jobs:
        record_path(sweep, job.folder).unlink(missing_ok=True)


def close(sweep: Path, jobs: Sequence[Job]) -> None:
    """Complete the records of jobs whose processes were killed before they could do so."""
    for job in jobs:
        record = read_record(sweep, job.folder)
        if record is not None and record.code is None:
            write_record(sweep, job.folder, replace(record, code=-signal.SIGKILL))


def progress(sweep: Path, job: Job) -> Progress:
    """How far a job has come."""
    run = sweep / job.folder
    record = read_record(sweep, job.folder)
    metrics = read_json(run / "metrics.json")
    epochs, seconds = _history(run / "history.csv")
    if metrics is not None:
        seconds = float(metrics.get("seconds") or seconds)
        return Progress(State.finished, "", epochs, seconds, metrics, record)
    state = _state(record, (run / "config.yaml").is_file())
    reason = failure_reason(sweep, job.folder) if state is State.failed else ""
    return Progress(state, reason, epochs, seconds, None, record)


def is_running(record: Record | None) -> bool:
    """Whether a job's process runs; of one on another machine its record decides."""
    if record is None or record.code is not None:
        return False
    if record.host != platform.node():
        return True
    try:
        status = Path(f"/proc/{record.pid}/stat").read_text()
    except OSError:
        return False
    if not is_process(record.pid, record.began):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _state(record: Record | None, begun: bool) -> State:
    if is_running(record):
        return State.running
    if record is None:
        return State.unfinished if begun else State.waiting
    return State.unfinished if record.code in (None, 0, PREEMPTED) else State.failed


def _history(path: Path) -> tuple[int, float]:
    """Epochs and seconds of a history; zero if it cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return len(rows), sum(float(row.get("seconds") or 0) for row in rows)
    except (OSError, ValueError, TypeError, csv.Error):
        return 0, 0.0


def failure_reason(sweep: Path, folder: str) -> str:
    """Why a job failed: the signal, the command's own line, or its last output."""
    record, log = read_record(sweep, folder), log_path(sweep, folder)
    if record is not None and record.code is not None and record.code < 0:
        name = signal.Signals(-record.code).name
        return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    try:
        last = log.read_text(errors="replace").rpartition(START)[2]
        lines = [line.strip() for line in last.splitlines()[1:]]
    except OSError:
        return "it left no message"
    lines = [line for line in lines if line]
    own = [line.removeprefix("roadex: ") for line in lines if line.startswith("roadex: ")]
    return (own or lines or ["it left no message"])[-1]


MARK = "sweep.json"


def claim(sweep: Path, version: dict[str, Any], command: list[str]) -> None:
    """Record which code began a sweep, if it is new, and the commands that continued it."""
    path = sweep / MARK
    content = _read(path) or {**version, "commands": []}
    content["commands"].append({"command": command, **version})
    write_json(path, content)


def check_version(sweep: Path, version: dict[str, Any], anyway: bool) -> None:
    """Check that a sweep was begun by this code.

    Raises:
        RoadexError: another version or commit began it, and sweep.any_version is not set.
    """
    before = _read(sweep / MARK)
    if before is None or anyway:
        return
    for key, here in version.items():
        there = before.get(key)
        if there != here:
            raise RoadexError(
                f"{sweep} was begun by roadex {key} {there}, this is {here}: choose another name= "
                "for a new sweep, or continue it with sweep.any_version=true"
            )


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(content["commands"], list)
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise RoadexError(f"{path}: damaged; remove it to continue the sweep") from error
    return dict(content)
