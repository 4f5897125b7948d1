"""How many raw pixels one core prepares in a second, and what bounds it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from roadex.benchmarks._settings import parse_settings
from roadex.config.dataset import LabelConfig, SpaceNetConfig, SplitConfig
from roadex.config.limits import bounded
from roadex.config.synthesize import SynthesizeConfig
from roadex.data.layouts import synthesize
from roadex.data.prepare import prepare
from roadex.data.prepared import TileRecipe, prepare_tile
from roadex.data.sources import open_source
from roadex.graph.formats import read_network
from roadex.rasters.rasters import read_raster

_CLASSES = 5


@dataclass
class Settings:
    """The benchmark's settings."""

    # Side of the tiles in pixels; one tile at least for each split.
    size: int = bounded(1300, least=64)
    tiles: int = bounded(4, least=3)
    repeats: int = bounded(3, least=1)


def main(overrides: list[str]) -> None:
    """Raw pixels a second of processor time, of 16-bit GeoTIFFs of three bands with GeoJSON lines.

    End to end is all that `prepare` does in one process: listing, contrast, reading, labels,
    statistics and writing. Its parts are timed alone, in the same run; the ratio to decoding the
    files once says how far it is from what no program can save.

    Settings: size=1300 (side of a tile), tiles=4, repeats=3 (the best counts).
    """
    settings = parse_settings(Settings, overrides)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        raw, cache = Path(folder) / "raw", Path(folder) / "cache"
        world = SynthesizeConfig(layout="spacenet", out=str(raw), tiles=settings.tiles)
        synthesize(replace(world, size_px=settings.size, workers=1))
        seconds = times(raw, cache, settings.repeats)
    pixels = settings.size**2 * settings.tiles
    print(f"{settings.tiles} tiles of {settings.size} px, {pixels / 1e6:.1f} million pixels")
    print(f"{'':32}{'Mpx/s':>8}{'s':>8}{'x decoding':>12}")
    for name, spent in seconds.items():
        ratio = spent / seconds["decoding alone"]
        print(f"{name:32}{pixels / spent / 1e6:8.1f}{spent:8.2f}{ratio:12.2f}")


def times(raw: Path, cache: Path, repeats: int) -> dict[str, float]:
    """Processor seconds of the whole and of its parts, for all tiles of a raw SpaceNet folder."""
    settings = SpaceNetConfig(
        raw=str(raw), cache=str(cache), workers=1, splits=SplitConfig(rule="ranked")
    )
    whole = best(lambda: _prepare_anew(settings), repeats)
    source = open_source(settings).calibrated(prepare(settings, _CLASSES).contrast())
    images, lines = sorted(raw.rglob("*.tif")), sorted(raw.rglob("*.geojson"))
    names = sorted(name for split in source.splits().values() for name in split)
    tiles = [source.read(name) for name in names]
    recipe = TileRecipe(settings.gsd, _CLASSES, LabelConfig())

    def finish() -> None:
        for index, tile in enumerate(tiles):
            shutil.rmtree(cache / f"part{index}", ignore_errors=True)
            prepare_tile(tile, recipe, cache / f"part{index}")

    return {
        "end to end": whole,
        "decoding alone": best(lambda: [read_raster(path) for path in images], repeats),
        "measuring contrast (training)": best(
            lambda: [source.histogram(name) for name in source.splits()["train"]], repeats
        ),
        "reading a tile, with decoding": best(
            lambda: [source.read(name) for name in names], repeats
        ),
        "  of which parsing the lines": best(lambda: [read_network(p) for p in lines], repeats),
        "labels, statistics, writing": best(finish, repeats),
    }


def best(work: Callable[[], object], repeats: int) -> float:
    """The least processor time of some runs, in seconds."""
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return min(spent)


def _prepare_anew(settings: SpaceNetConfig) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(settings.cache)
    prepare(settings, _CLASSES)
