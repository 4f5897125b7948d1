"""Why a command ends early, and with which exit code."""

from __future__ import annotations

# Exit codes of every command.
BAD_INPUT = 2
INTERRUPTED = 130
# EX_TEMPFAIL: the run was asked to end early, is saved, and should be started again.
PREEMPTED = 75


class RoadexError(Exception):
    """Input that cannot be used: the message names the file or key, and the remedy, in one line."""


class DataError(RoadexError):
    """Training data became unreadable between two steps; what was learned until then is valid."""


class Preempted(BaseException):
    """A signal, given by its name, asked the process to end; no handler may swallow it."""

    @property
    def code(self) -> int:
        """The exit code: after Ctrl-C nothing should requeue the job."""
        return INTERRUPTED if str(self) == "SIGINT" else PREEMPTED
