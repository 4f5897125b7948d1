"""Which tile belongs to which split."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from roadex.config.dataset import SplitConfig
from roadex.config.paths import config_dir
from roadex.errors import RoadexError
from roadex.files import user_path

SPLITS = ("train", "validation", "test")
Splits = dict[str, list[str]]


def assign_splits(names: list[str], config: SplitConfig, needed: Sequence[str] = SPLITS) -> Splits:
    """Divide tile names by the lists of `config`, else by its rule, then into its folds.

    Lists of the project name whole datasets; tiles that a partial copy lacks are skipped.

    Raises:
        RoadexError: a list is missing or names an unknown tile, there is no such fold, or a
            `needed` split is empty.
    """
    rule = RULES[config.rule]
    splits = _from_lists(set(names), config.lists) if config.lists else rule(names, config)
    return require_members(folded(splits, config), needed=needed)


def folded(splits: Splits, config: SplitConfig) -> Splits:
    """The splits of fold number `config.fold`: all but test tiles dealt out anew.

    Over the folds every one of them validates once, and their counts differ by one at most.

    Raises:
        RoadexError: there is no such fold, or there are fewer tiles than folds.
    """
    fold, folds = config.fold, config.folds
    if fold is None:
        return splits
    if fold >= folds:
        raise RoadexError(
            f"dataset.splits.fold={fold}: {folds} folds are numbered 0 to {folds - 1}; "
            "dataset.splits.folds=N makes more"
        )
    pool = sorted({*splits["train"], *splits["validation"]}, key=_place)
    if len(pool) < folds:
        raise RoadexError(
            f"dataset.splits.folds={folds}: only {len(pool)} to be dealt out; make fewer folds"
        )
    validation = set(pool[fold::folds])
    train = sorted(set(pool) - validation)
    return {**splits, "train": train, "validation": sorted(validation)}


_REMEDY = (
    "dataset.splits.rule=ranked gives each its share of the tiles, or give lists with "
    "dataset.splits.lists=DIR"
)


def require_members(
    splits: Splits, remedy: str = _REMEDY, needed: Sequence[str] = SPLITS
) -> Splits:
    """The splits, none of the `needed` ones empty.

    Raises:
        RoadexError: one is.
    """
    total = sum(map(len, splits.values()))
    for split, members in splits.items():
        if split in needed and not members:
            raise RoadexError(f"the {split} split is empty ({total} tiles in all): {remedy}")
    return splits


def expand_groups(splits: Splits, group_of: dict[str, str]) -> Splits:
    """Splits of groups as splits of their members."""
    split_of = {group: split for split, groups in splits.items() for group in groups}
    expanded: Splits = {split: [] for split in SPLITS}
    for name, group in sorted(group_of.items()):
        if group in split_of:
            expanded[split_of[group]].append(name)
    return expanded


def split_hash(splits: Splits) -> str:
    """A short hash of the lists, which shows whether two runs used the same splits."""
    text = "\n".join(f"{split} {name}" for split in SPLITS for name in splits[split])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def pool_hash(splits: Splits) -> str:
    """A short hash that all folds of the same tiles share."""
    pool = sorted(splits["train"] + splits["validation"])
    return split_hash({"train": pool, "validation": [], "test": splits["test"]})


def _by_hash(names: list[str], config: SplitConfig) -> Splits:
    shares = {"train": config.train, "validation": config.validation, "test": config.test}
    total = sum(shares.values())
    splits: Splits = {split: [] for split in SPLITS}
    for name in sorted(names):
        splits[_split_of(name, shares, total)].append(name)
    return splits


def _by_rank(names: list[str], config: SplitConfig) -> Splits:
    """The tiles by the hashes of their names, cut at the shares; of three each split has one."""
    order = sorted(names, key=_place)
    scale = len(order) / (config.train + config.validation + config.test)
    test, validation = (max(1, round(n * scale)) for n in (config.test, config.validation))
    parts = order[:test], order[test : test + validation], order[test + validation :]
    members = dict(zip(("test", "validation", "train"), parts, strict=True))
    return {split: sorted(members[split]) for split in SPLITS}


RULES = {"hash": _by_hash, "ranked": _by_rank}


def _place(name: str) -> float:
    """The SHA-256 of a name as a number in [0, 1)."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:13], 16) / 16**13


def _split_of(name: str, shares: dict[str, float], total: float) -> str:
    """The split in whose share of [0, 1) the name's SHA-256 falls."""
    place = _place(name) * total
    for split, share in shares.items():
        if place < share:
            return split
        place -= share
    return SPLITS[-1]


def _from_lists(names: set[str], lists: str) -> Splits:
    folder, is_ours = _list_folder(lists)
    splits: Splits = {}
    for split in SPLITS:
        path = folder / f"{split}.txt"
        if not path.is_file():
            raise RoadexError(f"{path}: no such list; write one tile name per line")
        splits[split] = read_list(path)
    if is_ours:
        return {split: [n for n in members if n in names] for split, members in splits.items()}
    _check_lists(splits, names, folder)
    return splits


def read_list(path: Path) -> list[str]:
    """The names in a list, one a line; lines that begin with # are comments."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [name for name in lines if name and not name.startswith("#")]


def _list_folder(lists: str) -> tuple[Path, bool]:
    """The folder of lists, and whether it is one of the project's."""
    for folder, is_ours in (
        (user_path(lists), False),
        (config_dir() / "splits" / lists, True),
    ):
        if folder.is_dir():
            return folder, is_ours
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
