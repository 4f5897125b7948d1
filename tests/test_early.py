"""A training that is asked to leave before it has begun says that the same command continues."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import roadex.train  # noqa: F401 - which must leave the signals of this program alone
from roadex.early import is_training
from roadex.errors import INTERRUPTED, PREEMPTED

HELPER = "--multiprocessing-fork"


def catches(process: subprocess.Popen, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (mask,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.parametrize(
    ("number", "later"),
    [(signal.SIGTERM, 0.0), (signal.SIGTERM, 2.0), (signal.SIGUSR1, 0.7), (signal.SIGINT, 1.0)],
)
def test_a_signal_before_the_training_begins_is_one_to_be_queued_again(number, later, tmp_path):
    command = [sys.executable, "-m", "roadex.train", "experiment=quickstart"]
    environment = {**os.environ, "ROADEX_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    # Python itself catches Ctrl-C from the start; the others are taken over together with it.
    while not catches(process, signal.SIGUSR1 if number == signal.SIGINT else number):
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(later)
    process.send_signal(number)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == (INTERRUPTED if number == signal.SIGINT else PREEMPTED)
    assert f"stopped by {number.name}: the same command continues" in printed


def test_a_program_that_imports_the_training_keeps_its_signals():
    assert signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, signal.default_int_handler)


@pytest.mark.parametrize(
    ("program", "command_line", "training"),
    [
        ("-m", ["python", "-m", "roadex.train", "seed=1"], True),
        ("-m", ["python", "-um", "roadex.train"], True),
        ("-m", ["python", "-mroadex.train"], True),
        ("-m", ["python", "-m", "roadex.score", "truth=roadex.train"], False),
        ("/usr/bin/roadex-train", ["python", "/usr/bin/roadex-train"], True),
        ("/usr/bin/roadex-score", ["python", "/usr/bin/roadex-score"], False),
        (
            "/usr/bin/roadex-train",
            ["python", "-c", "spawn_main()", HELPER],
            False,
        ),
        ("notebook.py", ["python", "notebook.py"], False),
        ("", ["python"], False),
    ],
)
def test_only_the_program_of_a_training_takes_the_signals(program, command_line, training):
    assert is_training(program, command_line) is training
