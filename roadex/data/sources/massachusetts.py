"""The Massachusetts Roads dataset: sat and map folders below train, valid and test."""

from __future__ import annotations

from pathlib import Path

from roadex.config.dataset import MassachusettsConfig
from roadex.data.sources.files import (
    Division,
    FileSource,
    Named,
    images_below,
    match,
    raw_folder,
    to_source,
)
from roadex.data.sources.masks import MaskReader, mask_rules
from roadex.data.splits import SPLITS, Splits

_SPLIT_OF = {"train": "train", "valid": "validation", "val": "validation", "test": "test"}
_LABELS = ("map", "labels", "masks")


def massachusetts_source(config: MassachusettsConfig) -> FileSource:
    """Images `SPLIT/sat/NAME` with masks `SPLIT/map/NAME`, or `SPLIT` with `SPLIT_labels`.

    The folders are the published splits. Large white areas of an image have no data.

    Raises:
        RoadexError: the folder is missing or holds no labelled image.
    """
    raw = raw_folder(config.raw)
    images: Named = []
    labels: Named = []
    split_of: dict[str, str] = {}
    for path in images_below(raw):
        split, is_label = _place(path.relative_to(raw))
        if split:
            (labels if is_label else images).append((path.stem, path))
            split_of[path.stem] = split
    matched = match(images, labels)
    published: Splits = {split: [] for split in SPLITS}
    for name in matched.pairs:
        published[split_of[name]].append(name)
    reader = MaskReader(mask_rules(config), round(config.white_area_m2 / config.gsd**2))
    remedy = (
        "it needs train/sat/NAME.tiff with train/map/NAME.tif, and valid and test in the same way"
    )
    return to_source(matched, reader, Division(config.splits, published), config.raw, remedy)


def _place(path: Path) -> tuple[str | None, bool]:
    """The split of a file by the names of its folders, and whether it is a label."""
    parts = [part.lower() for part in path.parts[:-1]]
    split, is_label = None, False
    for part in parts:
        head, _, tail = part.partition("_")
        if head in _SPLIT_OF and tail in ("", "labels"):
            split = _SPLIT_OF[head]
            is_label = is_label or tail == "labels"
        is_label = is_label or part in _LABELS
    return split, is_label
