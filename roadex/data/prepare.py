"""From raw data to prepared tiles: once, in parallel, kept between runs."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from roadex.config.dataset import DatasetConfig
from roadex.data.prepared import PreparedDataset, TileRecipe, prepare_tile
from roadex.data.sources import open_source
from roadex.data.sources.base import Source
from roadex.data.splits import SPLITS, Splits, split_hash
from roadex.errors import RoadexError
from roadex.files import write_json


def prepare(
    config: DatasetConfig, classes: int, tell: Callable[[str], None] = lambda line: None
) -> PreparedDataset:
    """The dataset of `config`, its tiles prepared where that has not been done yet.

    Args:
        classes: connectivity classes.
        tell: takes lines on what was found, left out and made.

    Raises:
        RoadexError: the raw data cannot be used; every tile made so far is kept.
    """
    source = open_source(config)
    splits = source.splits()
    recipe = TileRecipe(config.gsd, classes, config.labels)
    folder = _folder(config, source, recipe)
    names = [name for split in SPLITS for name in splits[split]]
    missing = [name for name in names if not (folder / name).is_dir()]
    for line in source.notes():
        tell(f"dataset {config.kind}: {line}")
    if missing:
        _prepare_all(missing, source, recipe, folder, config.workers)
    write_json(folder / "manifest.json", _manifest(config, source, recipe))
    mean, std = _normalization(config, folder, splits)
    counts = ", ".join(f"{split} {len(splits[split])}" for split in SPLITS)
    tell(f"splits {counts} (list hash {split_hash(splits)}), prepared in {folder}")
    return PreparedDataset(folder, splits, config.gsd, classes, mean, std)


def _folder(config: DatasetConfig, source: Source, recipe: TileRecipe) -> Path:
    """Named by what the tiles depend on, so data of other settings is never mixed in."""
    content = json.dumps([source.identity(), recipe.identity()], sort_keys=True, default=str)
    key = hashlib.sha256(content.encode()).hexdigest()[:12]
    return Path(config.cache).expanduser() / f"{config.kind}-{key}"


def _manifest(config: DatasetConfig, source: Source, recipe: TileRecipe) -> dict[str, Any]:
    identity = json.loads(json.dumps(source.identity(), default=str))
    return {"kind": config.kind, "recipe": recipe.identity(), "source": identity}


def _prepare_all(
    names: list[str], source: Source, recipe: TileRecipe, folder: Path, workers: int
) -> None:
    work = partial(_prepare_one, source=source, recipe=recipe, folder=folder)
    workers = min(workers or os.cpu_count() or 1, len(names))
    finished = (
        map(work, names) if workers == 1 or len(names) < 4 else _parallel(work, names, workers)
    )
    for _ in tqdm(finished, total=len(names), desc="preparing tiles", unit="tile", disable=None):
        pass


def _parallel(work: Callable[[str], None], names: list[str], workers: int) -> Iterator[None]:
    """Results as they come. Spawned, since a fork of a process with threads may hang."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        workers, context, initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        futures = [pool.submit(work, name) for name in names]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _prepare_one(name: str, source: Source, recipe: TileRecipe, folder: Path) -> None:
    """Make one tile under a temporary name and rename it: a tile that is there is complete."""
    temporary = folder / f".{name}.{os.getpid()}.tmp"
    try:
        prepare_tile(source.read(name), recipe, temporary)
        temporary.rename(folder / name)
    except OSError as error:
        if not (folder / name).is_dir():  # else another process was faster
            raise RoadexError(
                f"{folder} cannot be written ({error.strerror}): set dataset.cache=DIR"
            ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _normalization(
    config: DatasetConfig, folder: Path, splits: Splits
) -> tuple[list[float], list[float]]:
    """Mean and deviation per channel: as configured, else over all training pixels."""
    if config.mean is not None and config.std is not None:
        return list(config.mean), list(config.std)
    tiles = [json.loads((folder / n / "tile.json").read_text()) for n in splits["train"]]
    pixels = sum(tile["pixels"] for tile in tiles)
    mean = np.sum([tile["sum"] for tile in tiles], axis=0) / pixels
    square = np.sum([tile["sum_of_squares"] for tile in tiles], axis=0) / pixels
    std = np.sqrt(np.maximum(square - mean**2, 1e-6))
    return mean.round(6).tolist(), std.round(6).tolist()
