"""A job's process: its record, its log, and what signals do to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from roadex.config.sweep import SweepConfig
from roadex.errors import Preempted, RoadexError
from roadex.sweep.jobs import Job
from roadex.sweep.process import (
    job_arguments,
    job_command,
    job_environment,
    stopped_by_signals,
    supervise,
)
from roadex.sweep.records import State, close, forget, progress, read_record
from roadex.sweep.slots import gpu_groups, gpu_slot, parallel_jobs

JOB = Job(("model.stacks=2",), ("model.stacks=2",), "stacks-2", "0")


def python(code: str, sweep: Path) -> int:
    return supervise([sys.executable, "-c", code], dict(os.environ), sweep, JOB.folder, None)


def test_record_tells_how_a_process_ended_and_why(tmp_path):
    assert progress(tmp_path, JOB).state is State.waiting
    assert python("print('x'); print('roadex: no such folder'); exit(2)", tmp_path) == 2
    failed = progress(tmp_path, JOB)
    assert (failed.state, failed.reason) == (State.failed, "no such folder")
    assert python("raise ValueError('deep inside')", tmp_path) == 1
    assert progress(tmp_path, JOB).reason == "ValueError: deep inside"
    assert python("import os; os.kill(os.getpid(), 9)", tmp_path) == -signal.SIGKILL
    assert progress(tmp_path, JOB).reason == "killed by SIGKILL (out of memory?)"
    assert python("exit(75)", tmp_path) == 75
    assert progress(tmp_path, JOB).state is State.unfinished
    forget(tmp_path, [JOB])
    assert progress(tmp_path, JOB).state is State.waiting


def test_a_finished_run_is_finished_whatever_its_record_says(tmp_path):
    python("exit(1)", tmp_path)
    (tmp_path / JOB.folder).mkdir(parents=True)
    (tmp_path / JOB.folder / "metrics.json").write_text('{"seconds": 12.5, "test/apls": 0.5}')
    done = progress(tmp_path, JOB)
    assert (done.state, done.seconds) == (State.finished, 12.5)


def test_damaged_histories_and_records_count_as_nothing(tmp_path):
    python("exit(1)", tmp_path)
    run = tmp_path / JOB.folder
    run.mkdir(parents=True)
    (run / "history.csv").write_bytes(b"epoch,seconds\n1,\xff\xfe\n")
    (run / "config.yaml").write_text("name: x")
    (tmp_path / ".sweep" / f"{JOB.folder}.json").write_text("{")
    assert progress(tmp_path, JOB).state is State.unfinished


def test_a_record_that_nobody_ended_is_of_a_killed_process(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from roadex.sweep.process import supervise\n"
        f"supervise([sys.executable, '-c', 'import time; time.sleep(60)'], dict(os.environ),"
        f" Path({str(tmp_path)!r}), {JOB.folder!r}, None)"
    )
    worker = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: progress(tmp_path, JOB).state is State.running)
    child = read_record(tmp_path, JOB.folder).pid
    worker.kill()
    worker.wait()
    wait_until(lambda: not Path(f"/proc/{child}").exists())  # it does not outlive its parent
    assert progress(tmp_path, JOB).state is State.unfinished
    close(tmp_path, [JOB])
    assert progress(tmp_path, JOB).state is State.failed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_training_first_then_the_sweep(tmp_path, number):
    """The process saves itself, which takes a moment; only then the sweep ends."""
    code = (
        "import os, signal, sys, time\n"
        "def save(*_): time.sleep(0.3); open('saved', 'w').close(); sys.exit(75)\n"
        "signal.signal(signal.SIGTERM, save)\n"
        f"os.kill(os.getppid(), {int(number)}); time.sleep(60)"
    )
    command = [sys.executable, "-c", f"import os; os.chdir({str(tmp_path)!r})\n{code}"]
    before = signal.getsignal(number)
    with pytest.raises(Preempted, match=number.name), stopped_by_signals(tmp_path):
        supervise(command, dict(os.environ), tmp_path, JOB.folder, None)
    assert (tmp_path / "saved").exists()
    assert signal.getsignal(number) == before


def test_command_of_one_training():
    overrides = ["model.stacks=2", "sweep.per_gpu=2", "+sweep.x=1", "tracking.group='a b'"]
    arguments = job_arguments(overrides, Path("/a b/it's"))
    assert arguments == ["model.stacks=2", "tracking.group='a b'", r"hydra.run.dir='/a b/it\'s'"]
    assert job_command(1, arguments)[1:3] == ["-m", "roadex.train"]
    torchrun = job_command(2, arguments)
    assert torchrun[1:5] == ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    assert torchrun[5:7] == ["-m", "roadex.train"]


def test_gpus_are_shared_out_before_a_training_starts(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,6,7")
    two = SweepConfig(per_gpu=2)
    assert gpu_groups(SweepConfig()) == ["3", "5", "6", "7"] and parallel_jobs(two) == 8
    assert gpu_groups(SweepConfig(processes=2)) == ["3,5", "6,7"]
    with gpu_slot(two) as first, gpu_slot(two) as second:
        assert (first, second) == ("3", "5")
    with gpu_slot(two) as again:
        assert again == "3"
    assert job_environment(two, "5", pinned=True)["CUDA_VISIBLE_DEVICES"] == "5"
    with pytest.raises(RoadexError, match=r"sweep\.processes=8: this machine has 4 GPUs"):
        gpu_groups(SweepConfig(processes=8))


def test_without_gpus_trainings_share_the_cores(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    settings = SweepConfig(cpu_jobs=4)
    assert parallel_jobs(settings) == 4
    with gpu_slot(settings) as gpus:
        assert gpus is None
    assert job_environment(settings, None, pinned=True)["OMP_NUM_THREADS"] == "4"
    assert "OMP_NUM_THREADS" not in job_environment(settings, None, pinned=False)


def wait_until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)
