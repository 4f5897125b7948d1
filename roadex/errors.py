"""Why a command ends early: input that cannot be used, or a scheduler that wants the machine."""

from __future__ import annotations


class RoadexError(Exception):
    """Input that cannot be used: the message names the file or key, and the remedy, in one line."""


class DataError(RoadexError):
    """Training data became unreadable between two steps: what was learned is sound."""


class Preempted(BaseException):
    """A signal asked the process to make room; like Ctrl-C, nothing may swallow it."""
