"""Ending a sweep when a scheduler asks for the machine: its trainings save themselves first."""

from __future__ import annotations

import os
import platform
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from roadex.errors import Preempted
from roadex.sweep.process import FORWARDED, STOP_SECONDS
from roadex.sweep.records import all_records, is_running


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
    """Ask this machine's trainings to save themselves and end, and wait for them a while."""
    own = [record for record in all_records(sweep) if record.host == platform.node()]
    running = [record for record in own if is_running(record)]
    for record in running:
        with suppress(OSError):
            os.kill(record.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while any(map(is_running, running)) and time.monotonic() < until:
        time.sleep(0.1)
