"""How to install an optional package."""

from __future__ import annotations

from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[1]


def install_line(extra: str) -> str:
    """The command that installs one of roadex's extras: from a checkout, that checkout's."""
    if (_CHECKOUT / "setup.cfg").is_file():
        return f"pip install -e '{_CHECKOUT}[{extra}]'"
    return f'pip install "roadex[{extra}]"'
