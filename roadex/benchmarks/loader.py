"""How many training crops one core cuts in a second, and how large a tile may be for it."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import networkx as nx
import numpy as np
import torch

from roadex.benchmarks._settings import parse_settings
from roadex.config.augment import AugmentConfig
from roadex.config.dataset import LabelConfig
from roadex.config.limits import bounded
from roadex.data.augment import Augmentation
from roadex.data.crops import CropDataset
from roadex.data.prepared import PreparedDataset, TileRecipe, prepare_tile
from roadex.data.tile import Tile
from roadex.graph.network import straight_network
from roadex.graph.raster import draw_roads

_SIZES = (512, 1300, 2048, 4096, 8192)
_GSD = 0.3
AUGMENTATIONS = {
    "none": AugmentConfig(flip=False, quarter_turns=False),
    "published": AugmentConfig(hue=30, saturation=5, value=15),
    "with rotation, scale, blur and occlusion": AugmentConfig(
        hue=30, saturation=5, value=15, contrast=0.2, rotation=180, scale_min=0.7, scale_max=1.4,
        blur=1.0, occlusions=3,
    ),
}  # fmt: skip


@dataclass
class Settings:
    """The benchmark's settings."""

    # Side of the largest tile in pixels.
    largest: int = bounded(8192, least=512)
    crop: int = bounded(256, least=32)
    crops: int = bounded(600, least=1)
    repeats: int = bounded(3, least=1)


def main(overrides: list[str]) -> None:
    """Crops a second of processor time with image, mask and connectivity, the best of some runs.

    "Roads too" is what model.paths=true asks for: the true roads of each crop, moved as it is.

    Processor time rather than the clock's, so that a busy machine gives the same figures.

    Settings: largest=8192 (side of the largest tile), crop=256, crops=600, repeats=3.
    """
    settings = parse_settings(Settings, overrides)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    sizes = [size for size in _SIZES if size <= settings.largest]
    print(f"crops of {settings.crop} px, crops/s of one core by the side of the tile")
    print(f"{'augmentation':52}" + "".join(f"{size:>8}" for size in sizes))
    with tempfile.TemporaryDirectory() as folder:
        datasets = [example_dataset(Path(folder) / str(size), size) for size in sizes]
        for name, config in AUGMENTATIONS.items():
            for roads in (False, True):
                rates = [crops_per_second(each, config, settings, roads) for each in datasets]
                label = f"{name}, roads too" if roads else name
                print(f"{label:52}" + "".join(f"{rate:8.0f}" for rate in rates))


def example_dataset(folder: Path, size: int, tiles: int = 2, bands: int = 3) -> PreparedDataset:
    """Prepared square tiles of noise with a grid of streets."""
    rng = np.random.default_rng(size)
    names = [f"tile{index}" for index in range(tiles)]
    for name in names:
        image = rng.integers(0, 256, (size, size, bands), dtype=np.uint8)
        graph = _streets(size * _GSD)
        mask = draw_roads(graph, (size, size), _GSD, 8.0).astype(np.uint8)
        prepare_tile(Tile(image, mask, graph), TileRecipe(_GSD, 5, LabelConfig()), folder / name)
    splits = {"train": names, "validation": [], "test": []}
    mean, std = [0.5] * bands, [0.25] * bands
    return PreparedDataset(folder, splits, _GSD, 5, mean, std, crops_per_tile=1000)


def _streets(side: float, spacing: float = 90.0) -> nx.MultiGraph:
    """A grid of streets, joined where they cross."""
    lines = np.arange(spacing / 2, side, spacing)
    count = len(lines)
    places = [(float(x), float(y)) for y in lines for x in lines]
    across = [(n, n + 1) for n in range(count * count) if (n + 1) % count]
    down = [(n, n + count) for n in range(count * (count - 1))]
    return straight_network(places, across + down)


def crops_per_second(
    dataset: PreparedDataset, config: AugmentConfig, settings: Settings, roads: bool = False
) -> float:
    """The best rate of some runs; the first crops, which open the files, are not counted."""
    crops = CropDataset(dataset, settings.crop, Augmentation(config), seed=0, roads=roads)
    for draw in range(20):
        crops[draw]
    best = np.inf
    for run in range(settings.repeats):
        first = run * settings.crops
        started = time.process_time()
        for draw in range(first, first + settings.crops):
            crops[draw]
        best = min(best, time.process_time() - started)
    return float(settings.crops / best)
