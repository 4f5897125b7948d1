"""The description beside prepared tiles, and what was left out of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from roadex import __version__
from roadex.config.dataset import DatasetConfig
from roadex.config.labels import ATTRIBUTE_NAMES
from roadex.data.prepared import PreparedDataset
from roadex.data.splits import SPLITS, Splits, split_hash
from roadex.data.stretch import Calibration
from roadex.errors import RoadexError

LIBRARIES = ("numpy", "opencv-python", "rasterio", "scikit-image", "shapely", "pyproj", "networkx")
Facts = dict[str, dict[str, Any]]


def tile_facts(folder: Path, splits: Splits) -> Facts:
    """The facts recorded about each tile when it was made."""
    names = [name for split in SPLITS for name in splits[split]]
    return {name: json.loads((folder / name / "tile.json").read_text()) for name in names}


def normalization(
    config: DatasetConfig, facts: Facts, splits: Splits
) -> tuple[list[float], list[float]]:
    """Mean and deviation per channel: as configured, else over all training pixels."""
    if config.mean is not None and config.std is not None:
        return list(config.mean), list(config.std)
    tiles = [facts[name] for name in splits["train"]] or list(facts.values())
    pixels = max(1, sum(tile["pixels"] for tile in tiles))
    mean = np.sum([tile["sum"] for tile in tiles], axis=0) / pixels
    square = np.sum([tile["sum_of_squares"] for tile in tiles], axis=0) / pixels
    std = np.sqrt(np.maximum(square - mean**2, 1e-6))
    return mean.round(6).tolist(), std.round(6).tolist()


def describe(
    config: DatasetConfig,
    identity: list[Any],
    splits: Splits,
    facts: Facts,
    calibration: Calibration,
    left_out: dict[str, str],
) -> dict[str, Any]:
    """The manifest: origin, recipe and content of the tiles."""
    mean, std = normalization(config, facts, splits)
    source, recipe = json.loads(json.dumps(identity, default=str))
    return {
        "kind": config.kind,
        "versions": {"roadex": __version__, **_versions()},
        "gsd": config.gsd,
        "recipe": recipe,
        "splits": {split: len(splits[split]) for split in SPLITS},
        "split_hash": split_hash(splits),
        "mean": mean,
        "std": std,
        **_totals(facts, config.gsd),
        **attribute_km(facts),
        "contrast": calibration,
        "left_out": left_out,
        "source": source,
    }


def _totals(facts: Facts, gsd: float) -> dict[str, Any]:
    tiles = list(facts.values())
    pixels = sum(tile["pixels"] for tile in tiles)
    longest = max((len(tile["connectivity_pixels"]) for tile in tiles), default=0)
    classes = [_sum_at(tiles, index) for index in range(longest)]
    area_km2 = pixels * gsd**2 / 1e6
    return {
        "tiles": len(tiles),
        "sizes": dict(sorted(Counter(f"{t['width']}x{t['height']}" for t in tiles).items())),
        "graphs_from": dict(sorted(Counter(t["graph_from"] for t in tiles).items())),
        "scored_pixels": pixels,
        "ignored_pixels": sum(t["width"] * t["height"] for t in tiles) - pixels,
        "road_share": round(sum(t["road_pixels"] for t in tiles) / max(pixels, 1), 6),
        "connectivity_shares": [round(n / max(sum(classes), 1), 6) for n in classes],
        "road_km": round(sum(t["road_m"] for t in tiles) / 1000, 3),
        "road_km_per_km2": round(sum(t["road_m"] for t in tiles) / 1000 / max(area_km2, 1e-9), 3),
    }


def attribute_km(facts: Facts) -> dict[str, dict[str, float]]:
    """Of how many km of road each attribute is known; nothing where attributes are no labels."""
    tiles = [tile["attributes_m"] for tile in facts.values() if "attributes_m" in tile]
    km = {name: sum(tile[name] for tile in tiles) / 1000 for name in ATTRIBUTE_NAMES}
    return {"attributes_km": {k: round(v, 3) for k, v in km.items()}} if tiles else {}


def _sum_at(tiles: list[dict[str, Any]], index: int) -> int:
    counts = [tile["connectivity_pixels"] for tile in tiles]
    return sum(count[index] for count in counts if len(count) > index)


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def problems(folder: Path) -> list[str]:
    """Every unusable file beside prepared tiles, with the reason."""
    report = _report(folder)
    return [*report["left_out"].values(), *report["files"]]


def require_whole(folder: Path, tell: Callable[[str], None]) -> None:
    """Name the files that belong to no tile; `prepare` has named the tiles that were left out.

    Raises:
        RoadexError: anything was left out.
    """
    for line in _report(folder)["files"]:
        tell(f"left out: {line}")
    found = problems(folder)
    if found:
        raise RoadexError(
            f"{folder / 'report.json'}: {len(found)} unusable files were left out and the "
            "rest is prepared; repair them and prepare again, or train without them"
        )


def require_attributes(dataset: PreparedDataset, names: Sequence[str]) -> None:
    """Check that the training tiles have each of the attributes of roads that are to be learnt.

    Raises:
        RoadexError: none of their roads has one of them.
    """
    if not names:
        return
    known: Counter[str] = Counter()
    for tile in dataset.splits["train"]:
        facts = json.loads((dataset.tile_folder(tile) / "tile.json").read_text())
        known.update(facts["attributes_m"])
    lacking = [name for name in names if not known[name]]
    if lacking:
        usable = [name for name in names if known[name]]
        remedy = (
            f"set model.attribute_names=[{','.join(usable)}]"
            if usable
            else (
                "learn them from dataset=synthetic, spacenet, or folder with lines that have tags"
            )
        )
        raise RoadexError(
            "model.attributes=true: no road of the training tiles has a known "
            f"{', '.join(lacking)}: {remedy}"
        )


def _report(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return content
