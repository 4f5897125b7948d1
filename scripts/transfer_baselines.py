"""Score what needs no model on a folder of tiles: chance, and thresholds of brightness.

    python scripts/transfer_baselines.py images=DIR masks=DIR [lists=epfl] [out=FILE.json]

Levels are chosen on the validation tiles and scored on the test tiles, whose pixels are pooled.
These are the floor under a model that was trained elsewhere.
"""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.dataset import FolderConfig, SplitConfig
from roadex.data.sources import open_source
from roadex.data.sources.base import Source
from roadex.data.splits import split_hash
from roadex.errors import RoadexError
from roadex.files import write_json
from roadex.metrics.pixel import Confusion

LEVELS = 256
Counts = NDArray[np.int64]


def baselines(source: Source) -> dict[str, Any]:
    """The scores of each baseline on the test split, with what was chosen for it."""
    splits = source.splits()
    validation, test = (grey_counts(source, splits[name]) for name in ("validation", "test"))
    choices = {
        "brighter than a level": [(low, LEVELS) for low in range(LEVELS)],
        "darker than a level": [(0, high) for high in range(1, LEVELS + 1)],
        "between two levels": [
            (low, high) for low, high in product(range(LEVELS), range(1, LEVELS + 1)) if low < high
        ],
    }
    scored: dict[str, Any] = {
        "chance, at the road share of validation": _chance(validation, test),
        "everything is road": band(test, 0, LEVELS).scores(),
    }
    for name, bands in choices.items():
        low, high = max(bands, key=lambda chosen: band(validation, *chosen).f1)
        chosen: dict[str, float] = {"grey_from": low, "grey_below": high}
        chosen["validation_f1"] = band(validation, low, high).f1
        scored[name] = {**chosen, **band(test, low, high).scores()}
    tiles = len(splits["test"])
    return {"split_hash": split_hash(splits), "n_scored": tiles, "n_total": tiles, "test": scored}


def grey_counts(source: Source, names: list[str]) -> Counts:
    """Scored pixels (2, 257) of ground and road with a grey value below 0, 1, ..., 256."""
    counts = np.zeros((2, LEVELS), dtype=np.int64)
    for name in names:
        tile = source.read(name)
        grey = np.asarray(cv2.cvtColor(tile.image, cv2.COLOR_RGB2GRAY))
        for kind in (0, 1):
            counts[kind] += np.bincount(grey[tile.mask == kind], minlength=LEVELS)
    return np.pad(counts.cumsum(axis=1), ((0, 0), (1, 0)))


def band(below: Counts, low: int, high: int) -> Confusion:
    """The confusion where a pixel is road if its grey value is in [low, high)."""
    false_road, found = (below[:, high] - below[:, low]).tolist()
    ground, road = below[:, LEVELS].tolist()
    return Confusion(found, false_road, road - found, ground - false_road)


def _chance(validation: Counts, test: Counts) -> dict[str, float]:
    """Expected scores where each pixel is road with the share that validation shows."""
    rate = float(validation[1, -1] / validation[:, -1].sum())
    ground, road = test[:, -1].tolist()
    found, false_road = round(rate * road), round(rate * ground)
    expected = Confusion(found, false_road, road - found, ground - false_road)
    return {"road_share": rate, **expected.scores()}


def main() -> None:
    """Run the command line that the module's text describes."""
    settings = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    if not {"images", "masks"} <= settings.keys() <= {"images", "masks", "lists", "out"}:
        raise SystemExit((__doc__ or "").strip())
    splits = SplitConfig(lists=settings.get("lists", "epfl"))
    folder = FolderConfig(splits=splits, images=settings["images"], masks=settings["masks"])
    try:
        found = baselines(open_source(folder))
    except RoadexError as error:
        print(f"roadex: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    if "out" in settings:
        write_json(Path(settings["out"]), found)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
