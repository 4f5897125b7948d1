"""The share of a validation's work on graphs that the training does not wait for."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from roadex.benchmarks._settings import parse_settings
from roadex.benchmarks.loader import example_dataset
from roadex.benchmarks.train import parse
from roadex.config.limits import bounded
from roadex.data.prepared import PreparedDataset
from roadex.engine.distributed import Group
from roadex.engine.validation import Scorers, Validator


@dataclass
class Settings:
    """The benchmark's settings."""

    # Side of the tiles in pixels.
    size: int = bounded(1300, least=64)
    tiles: int = bounded(4, least=1)
    repeats: int = bounded(3, least=1)


def main(overrides: list[str]) -> None:
    """The training process's own seconds for one validation, with and without a scoring process.

    The model's part is left out: it is the same in both. Processor time, which a busy machine
    does not distort.

    Settings: size=1300 (side of a tile), tiles=4, repeats=3.
    """
    settings = parse_settings(Settings, overrides)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        dataset = example_dataset(Path(folder), settings.size, settings.tiles)
        dataset = replace(dataset, splits={**dataset.splits, "validation": dataset.splits["train"]})
        alone, beside = (seconds(dataset, count, settings.repeats) for count in (0, 1))
    print(f"{settings.tiles} tiles of {settings.size} px, seconds of the training process")
    print(f"graphs scored by itself         {alone:9.3f}")
    print(f"graphs scored beside it         {beside:9.3f}")
    print(f"ratio                           {beside / alone:9.3f}")


def seconds(dataset: PreparedDataset, scorers: int, repeats: int) -> float:
    """Processor seconds of this process for a validation, the best of some."""
    _, config = parse([])
    best = np.inf
    with Scorers(scorers) as processes:
        validator = Validator(config, dataset, Group(), processes)
        for _ in range(repeats + 1):  # the first starts the processes
            predictor = Stand(dataset)
            started = time.process_time()
            validator.start(predictor).scores()  # type: ignore[arg-type]
            best = min(best, time.process_time() - started)
    return float(best)


class Stand:
    """A stand-in for a good model: the masks of the tiles in turn, with blots."""

    model, device = nn.Identity(), torch.device("cpu")

    def __init__(self, dataset: PreparedDataset) -> None:
        names = dataset.splits["validation"]
        self._answers = iter([_blotted(dataset.tile(name).mask) for name in names])

    def __call__(self, image: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Probabilities (2, H, W) of the next tile, whatever the image is."""
        return {"segmentation": next(self._answers)}


def _blotted(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    noise = np.random.default_rng(0).normal(size=mask.shape).astype(np.float32)
    blots = cv2.GaussianBlur(noise, (0, 0), 8) * 16
    road = np.clip(cv2.GaussianBlur((mask == 1).astype(np.float32), (0, 0), 1) + 0.2 * blots, 0, 1)
    return np.stack([1 - road, road]).astype(np.float32)
