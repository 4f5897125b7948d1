"""The one error that a command shows as a single line instead of a traceback."""

from __future__ import annotations


class RoadexError(Exception):
    """Input that cannot be used: the message names the file or key, and the remedy, in one line."""
