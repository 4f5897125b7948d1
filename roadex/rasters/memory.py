"""Whether what a file declares fits into this machine, asked before any of it is read."""

from __future__ import annotations

import os
from pathlib import Path

from roadex.errors import RoadexError

_SHARE = 0.7


def require_memory(path: Path, needed: float) -> None:
    """Refuse a file that would need more bytes than most of the machine's memory.

    Raises:
        RoadexError: it would.
    """
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > _SHARE * there:
        raise RoadexError(
            f"{path}: it declares a size that needs {needed / 2**30:.0f} GiB of memory, of "
            f"{there / 2**30:.0f} GiB here; cut it into tiles"
        )
