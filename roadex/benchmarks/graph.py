"""How long a mask takes to become a graph, beside scikit-image's skeleton alone, sknw and skan."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from roadex.benchmarks._settings import parse_settings
from roadex.config.limits import bounded
from roadex.graph import draw_roads, mask_to_graph
from roadex.graph.mask import clean_mask
from roadex.graph.network import add_road, empty_network
from roadex.graph.skeleton import trace
from roadex.graph.thin import thin

_GSD = 0.5
_WIDTHS_M = (4.0, 6.0, 6.0, 8.0, 12.0)
_YARDSTICK = "skimage skeletonize alone"

Mask = NDArray[np.bool_]


@dataclass
class Settings:
    """The benchmark's settings."""

    # Side of the mask in pixels, and the streets drawn on it.
    size: int = bounded(4096, least=64)
    roads: int = bounded(60, least=1)
    repeats: int = bounded(3, least=1)
    seed: int = bounded(0, least=0)


def main(overrides: list[str]) -> None:
    """Mask to graph on a drawn city, the best of some runs of each program.

    Settings: size=4096 (pixels), roads=60, repeats=3, seed=0.
    """
    settings = parse_settings(Settings, overrides)
    mask = city_mask(settings.size, settings.roads, settings.seed)
    print(f"{mask.shape[0]} x {mask.shape[1]} pixels at {_GSD} m, {mask.mean():.1%} road")
    programs = _programs()
    for program in programs.values():
        program(mask[:256, :256])  # compiled at first use, some of them
    seconds = dict.fromkeys(programs, np.inf)
    for _ in range(settings.repeats):
        for name, program in programs.items():
            started = time.perf_counter()
            program(mask)
            seconds[name] = min(seconds[name], time.perf_counter() - started)
    _print_table(seconds)


def city_mask(size: int, roads: int, seed: int) -> Mask:
    """A square road mask of `roads` long curves of several widths, with holes and islands."""
    rng = np.random.default_rng(seed)
    graph = empty_network()
    share = np.linspace(0, 1, 60)[:, None]
    for i in range(roads):
        first, bend, last = rng.uniform(-0.1, 1.1, (3, 2)) * size * _GSD
        line = (1 - share) ** 2 * first + 2 * share * (1 - share) * bend + share**2 * last
        add_road(graph, (i, 0), (i, 1), line, width_m=float(rng.choice(_WIDTHS_M)))
    mask = draw_roads(graph, (size, size), _GSD, "width_m")
    rows, columns = rng.integers(0, size - 4, (2, size))
    for row, column in zip(rows, columns, strict=True):
        mask[row : row + 4, column : column + 4] ^= True
    return mask


def _programs() -> dict[str, Callable[[Mask], object]]:
    """What is timed, by name; programs that are not installed are left out."""
    programs: dict[str, Callable[[Mask], object]] = {
        _YARDSTICK: skeletonize,
        "roadex thin alone": thin,
        "roadex mask_to_graph, all of it": lambda mask: mask_to_graph(mask, _GSD),
        "of that: cleaning": lambda mask: clean_mask(mask, 108, 108),
        "roadex, skeletonize + trace": lambda mask: trace(skeletonize(mask)),
    }
    if find_spec("sknw"):
        build = import_module("sknw").build_sknw
        programs["sknw, skeletonize + build_sknw"] = lambda m: build(skeletonize(m), multi=True)
    if find_spec("skan"):
        skeleton = import_module("skan").Skeleton
        programs["skan, skeletonize + Skeleton"] = lambda mask: skeleton(skeletonize(mask))
    return programs


def _print_table(seconds: dict[str, float]) -> None:
    print(f"{'program':36s} {'seconds':>8s} {'ratio':>6s}")
    for name, spent in seconds.items():
        print(f"{name:36s} {spent:8.3f} {spent / seconds[_YARDSTICK]:6.2f}")
