"""Which tile belongs to which split."""

from __future__ import annotations

import hashlib
from pathlib import Path

from roadex.config.dataset import SplitConfig
from roadex.config.paths import config_dir
from roadex.errors import RoadexError

SPLITS = ("train", "validation", "test")
Splits = dict[str, list[str]]


def assign_splits(names: list[str], config: SplitConfig) -> Splits:
    """Divide tile names by the lists of `config`, else by the hash of each name.

    Raises:
        RoadexError: a list is missing or names an unknown tile, or a split is empty.
    """
    splits = _from_lists(set(names), config.lists) if config.lists else _by_hash(names, config)
    for split, members in splits.items():
        if not members:
            raise RoadexError(
                f"the {split} split is empty ({len(names)} tiles in all): change "
                "dataset.splits.train/validation/test or give lists with dataset.splits.lists=DIR"
            )
    return splits


def split_hash(splits: Splits) -> str:
    """A short hash of the lists, to tell whether two runs used the same splits."""
    text = "\n".join(f"{split} {name}" for split in SPLITS for name in splits[split])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _by_hash(names: list[str], config: SplitConfig) -> Splits:
    shares = {"train": config.train, "validation": config.validation, "test": config.test}
    total = sum(shares.values())
    splits: Splits = {split: [] for split in SPLITS}
    for name in sorted(names):
        splits[_split_of(name, shares, total)].append(name)
    return splits


def _split_of(name: str, shares: dict[str, float], total: float) -> str:
    """The split in whose share of [0, 1) the name's SHA-256 falls."""
    place = int(hashlib.sha256(name.encode()).hexdigest()[:13], 16) / 16**13 * total
    for split, share in shares.items():
        if place < share:
            return split
        place -= share
    return SPLITS[-1]


def _from_lists(names: set[str], lists: str) -> Splits:
    folder = _list_folder(lists)
    splits: Splits = {}
    for split in SPLITS:
        path = folder / f"{split}.txt"
        if not path.is_file():
            raise RoadexError(f"{path}: no such list; write one tile name per line")
        members = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        splits[split] = [name for name in members if name and not name.startswith("#")]
    _check_lists(splits, names, folder)
    return splits


def _list_folder(lists: str) -> Path:
    for folder in (Path(lists).expanduser(), config_dir() / "splits" / lists):
        if folder.is_dir():
            return folder
    known = sorted(p.name for p in (config_dir() / "splits").iterdir())
    raise RoadexError(
        f"dataset.splits.lists={lists}: no such folder, nor lists of the project "
        f"({', '.join(known)})"
    )


def _check_lists(splits: Splits, names: set[str], folder: Path) -> None:
    seen: dict[str, str] = {}
    for split, members in splits.items():
        for name in members:
            if name not in names:
                raise RoadexError(f"{folder / split}.txt: there is no tile '{name}' in the dataset")
            if name in seen:
                raise RoadexError(f"{folder / split}.txt: '{name}' is in {seen[name]}.txt already")
            seen[name] = split
