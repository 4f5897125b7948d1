"""A training of a sweep as a process of its own, and how all of them are ended."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from types import FrameType

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from roadex.command.overrides import quote
from roadex.config.sweep import SweepConfig
from roadex.errors import Preempted
from roadex.files import began_at
from roadex.sweep.records import START, Record, all_records, is_running, log_path, write_record
from roadex.sweep.slots import gpu_slot

MODULE = "roadex.train"
FORWARDED = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
PR_SET_PDEATHSIG = 1
# A training that is signalled to stop saves itself after its step.
STOP_SECONDS = 60.0
# Whoever started a training records its end a moment after it.
RECORD_SECONDS = 5.0


def in_sweep() -> bool:
    """Whether the running task is a job of a sweep."""
    return HydraConfig.get().mode is RunMode.MULTIRUN


def run_job(settings: SweepConfig) -> int:
    """Run the training of the current Hydra job in its own process; gives its exit code."""
    hydra = HydraConfig.get()
    sweep, folder = Path(hydra.sweep.dir).resolve(), str(hydra.sweep.subdir)
    arguments = job_arguments(list(hydra.overrides.task), sweep / folder)
    pinned = hydra.runtime.choices.get("hydra/launcher") == "gpus"
    with gpu_slot(settings) if pinned else nullcontext(None) as gpus:
        environment = job_environment(settings, gpus, pinned)
        command = job_command(settings.processes, arguments)
        return supervise(command, environment, sweep, folder, gpus)


def job_arguments(overrides: list[str], run: Path) -> list[str]:
    """The command-line arguments of one training in the folder `run`."""
    kept = [line for line in overrides if not line.lstrip("+").startswith("sweep.")]
    return [*kept, f"hydra.run.dir={quote(str(run))}"]


def job_command(processes: int, arguments: list[str]) -> list[str]:
    """The command of a training, by torchrun if it takes more than one process."""
    if processes == 1:
        return [sys.executable, "-m", MODULE, *arguments]
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return [sys.executable, *torchrun, "-m", MODULE, *arguments]


def slurm_job() -> str | None:
    """The SLURM job that this process is part of, as its commands name it."""
    array, job = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_JOB_ID")
    return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else job


def job_environment(settings: SweepConfig, gpus: str | None, pinned: bool) -> dict[str, str]:
    """The environment of a training: its GPUs, or its share of the cores beside other trainings."""
    environment = dict(os.environ)
    if gpus is not None:
        environment["CUDA_VISIBLE_DEVICES"] = gpus
    elif pinned:
        share = (os.cpu_count() or 1) // (settings.cpu_jobs * settings.processes)
        environment.setdefault("OMP_NUM_THREADS", str(max(1, share)))
    return environment


def supervise(
    command: list[str],
    environment: dict[str, str],
    sweep: Path,
    folder: str,
    gpus: str | None,
    beside: Callable[[subprocess.Popen[bytes]], AbstractContextManager[None]] | None = None,
) -> int:
    """Run a command to its end with its output in the job's log, and keep the job's record.

    Args:
        beside: a context that is entered with the process while it runs.
    """
    log = log_path(sweep, folder)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as output:
        print(f"{START} {datetime.now():%Y-%m-%d %H:%M:%S}", file=output, flush=True)
        # In its own session a training gets Ctrl-C once, from here, as other signals.
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_along,
            start_new_session=True,
        )
        record = Record(
            platform.node(),
            process.pid,
            time.time(),
            gpus=gpus,
            slurm=slurm_job(),
            began=began_at(process.pid),
        )
        write_record(sweep, folder, record)
        with forwarded_signals(process), beside(process) if beside else nullcontext():
            record.code = process.wait()
    record.ended = time.time()
    write_record(sweep, folder, record)
    return record.code


@contextmanager
def forwarded_signals(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass signals to stop on to a process, and let it save itself before anything else reacts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in FORWARDED}

    def forward(number: int, frame: FrameType | None) -> None:
        stop(process, signal.SIGTERM if number == signal.SIGINT else number)
        earlier = before[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    for number in FORWARDED:
        signal.signal(number, forward)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    """Ask a process to save itself and end, and wait for it; kill it if it does not end."""
    if process.returncode is None:
        process.send_signal(number)
    _wait_while(lambda: not _ended(process.pid), STOP_SECONDS)
    if not _ended(process.pid):
        process.kill()


def _ended(pid: int) -> bool:
    """Whether a child has ended. Its exit code is left to whoever waits for it."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _parent_death_signal() -> Callable[[], None] | None:
    """Called by a new process: it is signalled to stop when its parent dies (Linux only)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


_die_along = _parent_death_signal()


@contextmanager
def stopped_by_signals(sweep: Path) -> Iterator[None]:
    """Within the block, SIGTERM, SIGUSR1 and Ctrl-C stop a sweep's trainings, then the sweep.

    Raises:
        Preempted: such a signal has come, and the trainings have ended.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        end_trainings(sweep)
        raise Preempted(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_trainings(sweep: Path) -> None:
    """Ask this machine's trainings to save themselves and end, and wait for a limited time."""
    own = [record for record in all_records(sweep) if record.host == platform.node()]
    running = [record for record in own if is_running(record)]
    for record in running:
        with suppress(OSError):
            os.kill(record.pid, signal.SIGTERM)
    _wait_while(lambda: any(map(is_running, running)), STOP_SECONDS)
    stopped = {record.pid for record in running}
    _wait_while(
        lambda: any(record.pid in stopped and record.code is None for record in all_records(sweep)),
        RECORD_SECONDS,
    )


def _wait_while(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition is over, for a limited time."""
    until = time.monotonic() + seconds
    while condition() and time.monotonic() < until:
        time.sleep(0.1)
