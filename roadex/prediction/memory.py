"""What is freed is not always given back."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def return_freed_memory() -> None:
    """Let the allocator of Linux's C library give freed memory back to the system.

    After the windows of a wide image it holds hundreds of megabytes that the decoder could use.
    Elsewhere nothing happens.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
