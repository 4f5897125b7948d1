"""Parts of a row or column of pixels."""

from __future__ import annotations


def common(span: slice, other: slice) -> slice | None:
    """The common part of two spans; None if there is none."""
    start, stop = max(span.start, other.start), min(span.stop, other.stop)
    return slice(start, stop) if start < stop else None


def shifted(span: slice, start: int) -> slice:
    """A span counted from `start`."""
    return slice(span.start - start, span.stop - start)
