"""Training tiles of a second dataset beside those of the first."""

from __future__ import annotations

from dataclasses import replace

from roadex.data.prepared import PreparedDataset
from roadex.errors import RoadexError

_SEPARATOR = "@extra:"


def with_extra(main: PreparedDataset, extra: PreparedDataset) -> PreparedDataset:
    """The first dataset, whose training split also holds the second one's training tiles.

    Validation, test, the pixel size in the scores and the normalisation stay those of the first.
    A tile of the second is drawn as often in an epoch as its own settings say.

    Raises:
        RoadexError: their connectivity maps have different classes.
    """
    if main.classes != extra.classes:
        raise RoadexError(
            f"extra has {extra.classes} connectivity classes, the dataset {main.classes}"
        )
    lent = {f"{name}{_SEPARATOR}{extra.folder.name}": name for name in extra.splits["train"]}
    return replace(
        main,
        splits={**main.splits, "train": [*main.splits["train"], *lent]},
        folders={**main.folders, **{key: extra.folder / name for key, name in lent.items()}},
        crops={**main.crops, **dict.fromkeys(lent, extra.crops_per_tile)},
    )
