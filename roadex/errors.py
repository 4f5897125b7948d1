"""Why a command ends early, and with which exit code."""

from __future__ import annotations

# Exit codes of every command.
BAD_INPUT = 2
INTERRUPTED = 130
# EX_TEMPFAIL: the run was told to make room, is saved, and wants to be started again.
PREEMPTED = 75


class RoadexError(Exception):
    """Input that cannot be used: the message names the file or key, and the remedy, in one line."""


class DataError(RoadexError):
    """Training data became unreadable between two steps: what was learned is sound."""


class Preempted(BaseException):
    """A signal, by its name, asked the process to make room; nothing may swallow it."""

    @property
    def code(self) -> int:
        """The exit code: Ctrl-C is not to be queued again."""
        return INTERRUPTED if str(self) == "SIGINT" else PREEMPTED
