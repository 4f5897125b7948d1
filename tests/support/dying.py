"""Tasks for processes of a pool, which import little."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def die_once(mark: Path) -> str:
    """Killed in the middle of the task, but not when it is done again."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"
