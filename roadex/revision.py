"""Version and commit of this code."""

from __future__ import annotations

import subprocess
from pathlib import Path

from roadex import __version__


def git(*arguments: str) -> str | None:
    """The output of git for the folder of this package; None if it is not a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def revision() -> dict[str, str | None]:
    """The version, and the commit where this is a checkout."""
    return {"version": __version__, "commit": git("rev-parse", "HEAD")}
