"""Ending on a scheduler's signal: after the step, saved, with the exit code for requeuing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from roadex.errors import Preempted

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class StopSignals:
    """Catches SIGTERM, SIGUSR1 and Ctrl-C within its `with` block; a second one ends at once.

    The work calls `check` where it can be left. Within `interruptible` it is left immediately.
    """

    def __init__(self) -> None:
        self.asked = ""
        self._interruptible = False
        self._process = os.getpid()
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        """Take the signals over, in the main thread only; other threads cannot."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Leave if asked to.

        Raises:
            Preempted: a signal has come.
        """
        if self.asked:
            raise Preempted(self.asked)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """A block that changes nothing and can be left anywhere; raises as `check`."""
        self.check()
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False
        self.check()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a forked child, which inherited the handler
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if self.asked:
            os._exit(Preempted(self.asked).code)
        self.asked = signal.Signals(number).name
        if self._interruptible:
            raise Preempted(self.asked)
