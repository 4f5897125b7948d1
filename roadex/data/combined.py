"""Several datasets in one training, each with its own pixel size, splits, masks and contrast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from roadex.config.dataset import DatasetConfig
from roadex.data.prepare import Tell, prepare
from roadex.data.prepared import MAIN, Member, PreparedDataset
from roadex.data.splits import SPLITS
from roadex.data.stretch import Calibration
from roadex.errors import RoadexError


@contextmanager
def settings_of(name: str) -> Iterator[None]:
    """Errors of a further dataset, whose settings have its name in them."""
    try:
        yield
    except RoadexError as error:
        text = str(error).replace("dataset.", f"datasets.{name}.")
        text = text if text != str(error) else f"datasets.{name}: {text}"
        raise RoadexError(text) from error


def prepare_combined(
    main: DatasetConfig,
    others: Mapping[str, DatasetConfig],
    classes: int,
    tell: Tell,
    attributes: bool,
    needed: Sequence[str] = SPLITS,
    contrast: Calibration | None = None,
) -> PreparedDataset:
    """The main dataset and others beside it, all prepared; as `prepare` and `combined`.

    Args:
        contrast: of the images of the main one.
    """
    dataset = prepare(main, classes, tell, needed=needed, contrast=contrast, attributes=attributes)
    beside = {}
    for name, other in others.items():
        wanted = [split for split in other.use if split in needed]
        with settings_of(name):
            tiles = prepare(other, classes, tell, needed=wanted, attributes=attributes)
            beside[name] = other, tiles
    return combined(dataset, main.weight, beside)


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
    cities = dict(main.cities)
    for key, (config, dataset) in others.items():
        _check(key, config, main, dataset)
        members[key] = _member(config, main, dataset)
        for split in own & set(config.use):
            lent = {f"{key}@{name}": (key, name) for name in dataset.splits[split]}
            splits[split] += lent
            homes |= lent
        cities |= {f"{key}@{name}": city for name, city in dataset.cities.items()}
    return replace(main, splits=splits, members=members, homes=homes, cities=cities)


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
