"""Returning freed memory to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# Dask makes the allocator of its workers return every 64 kB at once, so that it cannot adapt to
# large arrays: each one is then requested again, page by page, and work takes twice as long. These
# are the values that the allocator reaches by itself; blocks end with the call below.
WORKER_ENVIRONMENT = {
    "MALLOC_TRIM_THRESHOLD_": str(1 << 26),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
}


def return_freed_memory() -> None:
    """Let the allocator of Linux's C library return freed memory to the system.

    After the windows of a wide image it holds hundreds of megabytes that the decoder could use. On
    other systems it does nothing.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
