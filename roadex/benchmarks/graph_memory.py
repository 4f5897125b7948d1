"""How much memory a probability map takes to become a graph, beside the map itself."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roadex.benchmarks._settings import parse_settings
from roadex.benchmarks.graph import city_mask
from roadex.config.limits import bounded
from roadex.graph import DecodingSettings, probabilities_to_graph

_GSD = 0.5
_BLOCK = 2000
_KIB = 1024 if sys.platform != "darwin" else 1


@dataclass
class Settings:
    """The benchmark's settings."""

    # Side of the map in pixels.
    size: int = bounded(20_000, least=1)


def main(overrides: list[str]) -> None:
    """Decode a mapped file of a city drawn over and over; peaks of resident memory.

    Settings: size=20000 (pixels).
    """
    size = parse_settings(Settings, overrides).size
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "road.npy"
        _write_city(path, size)
        before = _peak_bytes()
        started = time.perf_counter()
        road = np.load(path, mmap_mode="r")
        graph = probabilities_to_graph(road, None, 0.5, _GSD, DecodingSettings())
        seconds = time.perf_counter() - started
    used = _peak_bytes() - before
    print(f"{size} x {size} pixels: {graph.number_of_edges()} roads in {seconds:.0f} s")
    print(f"peak memory {_peak_bytes() / 2**30:.2f} GiB, {before / 2**30:.2f} of them before")
    print(f"ratio to the map of one byte a pixel: {used / size**2:.2f}")


def _write_city(path: Path, size: int) -> None:
    """A map of `size` pixels a side, the same block everywhere, written strip by strip."""
    block = np.where(city_mask(_BLOCK, 20, 0), np.uint8(250), np.uint8(3))
    road = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(size, size))
    for top in range(0, size, _BLOCK):
        for left in range(0, size, _BLOCK):
            part = road[top : top + _BLOCK, left : left + _BLOCK]
            part[:] = block[: part.shape[0], : part.shape[1]]
        road.flush()


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
