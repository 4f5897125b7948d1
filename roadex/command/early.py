"""A training can be ended by a signal from its first moment on: importing this sets the handlers.

Until `roadex.engine.signals` takes the signals over, and after it gives them back, there is nothing
to save: the process ends at once, with the exit code after which a scheduler requeues it. Only the
program `roadex.train` does so, not one that imports it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
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


def _is_training() -> bool:
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    module = getattr(spec, "name", None)
    return module == "roadex.train" or Path(sys.argv[0]).name == "roadex-train"


if _is_training():
    for each in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(each, _leave)
