"""Several datasets in one training, each with its own pixel size, splits, masks and contrast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from roadex.config.dataset import DatasetConfig
from roadex.data.prepared import MAIN, Member, PreparedDataset
from roadex.errors import RoadexError


def combined(
    main: PreparedDataset,
    weight: float,
    others: Mapping[str, tuple[DatasetConfig, PreparedDataset]],
) -> PreparedDataset:
    """The main dataset with the tiles of others beside its own.

    Args:
        weight: the factor on the crops that the main dataset gives in an epoch.
        others: settings and tiles by the name of the dataset; their tiles are called NAME@TILE.

    Raises:
        RoadexError: connectivity maps of different classes, or splits that do not exist.
    """
    own = set(main.splits)
    members = {MAIN: Member(main.folder, main.gsd, main.crops_per_tile * weight)}
    splits = {split: list(names) for split, names in main.splits.items()}
    homes: dict[str, tuple[str, str]] = {}
    for key, (config, dataset) in others.items():
        _check(key, config, main, dataset)
        members[key] = _member(config, main, dataset)
        for split in own & set(config.use):
            lent = {f"{key}@{name}": (key, name) for name in dataset.splits[split]}
            splits[split] += lent
            homes |= lent
    return replace(main, splits=splits, members=members, homes=homes)


def _check(key: str, config: DatasetConfig, main: PreparedDataset, other: PreparedDataset) -> None:
    unknown = set(config.use) - set(main.splits)
    if unknown:
        known = ", ".join(main.splits)
        raise RoadexError(f"datasets.{key}.use: {min(unknown)} is no split: choose from {known}")
    if main.classes != other.classes:
        raise RoadexError(
            f"datasets.{key} has {other.classes} connectivity classes, the dataset {main.classes}"
        )


def _member(config: DatasetConfig, main: PreparedDataset, other: PreparedDataset) -> Member:
    own = config.normalize == "own"
    return Member(
        other.folder,
        other.gsd,
        other.crops_per_tile * config.weight,
        zoom=other.gsd / main.gsd if config.resample else 1.0,
        mean=other.mean if own else None,
        std=other.std if own else None,
    )
