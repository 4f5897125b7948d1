"""What is freed is not always given back."""

from __future__ import annotations

import ctypes
from contextlib import suppress

# Dask tells the allocator of its workers to give back every 64 kB at once, which takes from it all
# that it learns of large arrays: each of them is then asked for anew, page by page, and work takes
# twice as long. These are what the allocator comes to by itself; blocks end with the call below.
WORKER_ENVIRONMENT = {
    "MALLOC_TRIM_THRESHOLD_": str(1 << 26),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
}


def return_freed_memory() -> None:
    """Let the allocator of Linux's C library give freed memory back to the system.

    After the windows of a wide image it holds hundreds of megabytes that the decoder could use.
    Elsewhere nothing happens.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
