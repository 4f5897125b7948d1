"""A training can be ended by a signal from its first moment on: importing this sets the handlers.

The package imports it before anything else. Until `roadex.engine.signals` takes the signals over,
and after it gives them back, there is nothing to save: the process ends at once, with the exit code
after which a scheduler requeues it. Only the program `roadex.train` does so, not one that imports
it. (While Python itself starts, some hundredths of a second, the system's answer holds.)
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from roadex.errors import Preempted

_PROCESS = os.getpid()


def _leave(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _PROCESS:  # a forked child, which inherited the handler
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    name = signal.Signals(number).name
    os.write(2, f"roadex: stopped by {name}: the same command continues\n".encode())
    os._exit(Preempted(name).code)


def is_training(program: str, command_line: list[str]) -> bool:
    """Whether the program that imports this is a training.

    Args:
        program: what `sys.argv` begins with; "-m" while Python looks for the module of a -m.
        command_line: as the process was started (`sys.orig_argv`).
    """
    if "--multiprocessing-fork" in command_line:
        return False  # a helper, whose `sys.argv` is that of its parent
    if program == "-m":
        module = next((word for word in command_line[1:] if "roadex." in word), "")
        return module.endswith("roadex.train")
    return program.rpartition(os.sep)[2] == "roadex-train"


if is_training(next(iter(getattr(sys, "argv", [])), ""), sys.orig_argv):
    for each in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(each, _leave)
