"""How much faster several workers predict an image than one, as a ratio inside one run.

The model is the one that comes with roadex, the image a VRT that repeats a tile of wavy streets.
Every worker has one thread, so a ratio near the number of workers wants as many idle cores.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from roadex.benchmarks._settings import parse_settings
from roadex.benchmarks.large_image import SHIPPED, STAND_IN, measured
from roadex.benchmarks.large_image import Settings as Image
from roadex.config.limits import bounded, choice

# Load of the machine, in processes that want to run, from which on clocks say little.
_BUSY = 0.5


@dataclass
class Settings:
    """The benchmark's settings."""

    # Side of the image and of its blocks in pixels: 8 windows a side, 2 of them in a block.
    size: int = bounded(7296, least=1024)
    block_px: int = bounded(1792, least=1024)
    # How many workers are compared with one.
    workers: int = bounded(2, least=2)
    model: str = choice(SHIPPED, SHIPPED, STAND_IN)


def main(overrides: list[str]) -> None:
    """Predict an image with one worker, then with several, by the clock.

    Workers run the model and draw the roads of blocks. The summary's seconds count these and the
    steps that the client does alone; the whole command also starts the workers.

    Settings: size=7296 and block_px=1792 (pixels), workers=2, model=shipped (or stand-in).
    """
    settings = parse_settings(Settings, overrides)
    load = os.getloadavg()[0]
    image = Image(size=settings.size, block_px=settings.block_px, cluster="local")
    found = [
        measured(settings.size, replace(image, workers=count), settings.model)
        for count in (1, settings.workers)
    ]
    print(f"{settings.size} px a side, blocks of {settings.block_px}, {os.cpu_count()} cores")
    if load > _BUSY:
        print(f"the machine was busy before it began (load {load:.1f}): the ratios say little")
    print(f"{'seconds of':24s} {'one':>8s} {settings.workers:>8d} {'times as fast':>14s}")
    for name, spent in _steps(found).items():
        print(f"{name:24s} {spent[0]:8.1f} {spent[1]:8.1f} {spent[0] / max(spent[1], 1e-9):14.2f}")


def _steps(found: list[dict[str, Any]]) -> dict[str, list[float]]:
    """The seconds of each run by what they were spent on."""
    return {
        "blocks": [each["seconds_of"]["network"] + each["seconds_of"]["graph"] for each in found],
        "all steps": [each["seconds"] for each in found],
        "the command": [each["whole_seconds"] for each in found],
    }
