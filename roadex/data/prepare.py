"""From raw data to prepared tiles: once, in parallel, kept between runs."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from roadex.config.dataset import DatasetConfig, StretchConfig
from roadex.data.manifest import describe, normalization, tile_facts
from roadex.data.prepared import (
    CONTRAST,
    PreparedDataset,
    TileRecipe,
    prepare_tile,
    read_contrast,
)
from roadex.data.sources import open_source
from roadex.data.sources.base import Finding, Kind, Source
from roadex.data.sources.folder import located
from roadex.data.splits import SPLITS, Splits, require_members, split_hash
from roadex.data.stretch import Calibration, Histogram, calibrate
from roadex.errors import RoadexError
from roadex.files import (
    keep_json,
    remove_abandoned,
    sync_files,
    temporary_name,
    user_path,
    write_json,
)
from roadex.parallel import over_tiles
from roadex.rasters.masks import MOST_ROAD

Tell = Callable[[str], None]


@dataclass(frozen=True)
class _Work:
    """One preparation: its source, recipe and folder.

    Attributes:
        keep_going: leave out and record tiles with unusable files; else stop at the first.
    """

    config: DatasetConfig
    source: Source
    recipe: TileRecipe
    folder: Path
    keep_going: bool
    contrast: Calibration | None = None

    @property
    def report(self) -> Path:
        return self.folder / "report.json"

    def left_out(self) -> dict[str, str] | None:
        """Tiles of these data that `keep_going` left out, with reasons; None: never ran."""
        if not self.report.is_file():
            return None
        left_out: dict[str, str] = json.loads(self.report.read_text())["left_out"]
        return left_out


def prepare(
    config: DatasetConfig,
    classes: int,
    tell: Tell = lambda line: None,
    keep_going: bool = False,
    needed: Sequence[str] = SPLITS,
    contrast: Calibration | None = None,
    attributes: bool = False,
) -> PreparedDataset:
    """The dataset of `config`; its tiles are prepared if they are not yet.

    Args:
        classes: connectivity classes.
        tell: takes lines on what was found, left out and made.
        keep_going: leave out what is unusable and list it in report.json, which later calls with
            the same settings and files then respect; else the first unusable file is an error.
        needed: the splits that must have tiles.
        contrast: how images of more than 8 bits become 8; None: by the training tiles.
        attributes: whether the attributes of roads are labels, too, as far as they are known.

    Raises:
        RoadexError: the raw data cannot be used; every tile made so far is kept.
    """
    config = located(config)
    source = open_source(config)
    splits = source.splits(needed)
    recipe = TileRecipe(config.gsd, classes, config.labels, attributes)
    identity = [source.identity(), recipe.identity()]
    folder = _folder(config, identity + ([contrast] if contrast else []), splits)
    work = _Work(config, source, recipe, folder, keep_going, contrast)
    for line in source.notes():
        tell(f"dataset {config.kind}: {line}")
    left_out = _prepare_all(work, splits)
    for name, reason in left_out.items():
        tell(f"left out: {name}: {reason}")
    kept = _without(splits, left_out)
    if left_out and not any(kept.values()):
        raise RoadexError(
            f"all {len(left_out)} tiles were left out; the first: {next(iter(left_out.values()))}"
        )
    splits = require_members(kept, needed=needed)
    return _described(work, identity, splits, left_out, tell)


def _described(
    work: _Work, identity: list[Any], splits: Splits, left_out: dict[str, str], tell: Tell
) -> PreparedDataset:
    """Write the manifest and open the dataset."""
    config, folder = work.config, work.folder
    facts = tile_facts(folder, splits)
    _check_road(config, facts)
    calibration = read_contrast(folder)
    manifest = describe(config, identity, splits, facts, calibration, left_out)
    keep_json(folder / "manifest.json", manifest, needed=False)
    counts = ", ".join(f"{split} {len(splits[split])}" for split in SPLITS)
    tell(f"splits {counts} (list hash {split_hash(splits)}), prepared in {folder}")
    if "attributes_km" in manifest:
        known = ", ".join(f"{name} {km:.1f}" for name, km in manifest["attributes_km"].items())
        tell(f"km of road whose attributes are known, of {manifest['road_km']:.1f}: {known}")
    mean, std = normalization(config, facts, splits)
    classes, crops = work.recipe.classes, config.crops_per_tile
    names = [name for split in SPLITS for name in splits[split]]
    cities = {name: city for name in names if (city := work.source.group(name))}
    return PreparedDataset(folder, splits, config.gsd, classes, mean, std, crops, cities=cities)


def _check_road(config: DatasetConfig, facts: dict[str, Any]) -> None:
    """Refuse masks with no road at all, or with hardly anything else."""
    if not hasattr(config, "road_values") or not facts:
        return
    pixels = sum(fact["pixels"] for fact in facts.values())
    share = sum(fact["road_pixels"] for fact in facts.values()) / max(pixels, 1)
    if share == 0 or share > MOST_ROAD:
        found = "show no road" if share == 0 else f"are road by {share:.0%}"
        raise RoadexError(
            f"dataset {config.kind}: the masks of its {len(facts)} tiles {found}: say which values "
            "are road, dataset.road_values=[...]" + ("" if share == 0 else " (black on white: [0])")
        )


def _folder(config: DatasetConfig, identity: list[Any], splits: Splits) -> Path:
    """The folder, named by all that the tiles depend on, so that settings are never mixed.

    Where the contrast is that of the training tiles, their names are part of it.
    """
    parts = identity + ([splits["train"]] if "stretch" in identity[0] else [])
    content = json.dumps(parts, sort_keys=True, default=str)
    key = hashlib.sha256(content.encode()).hexdigest()[:12]
    return user_path(config.cache) / f"{config.kind}-{key}"


def _without(splits: Splits, left_out: dict[str, str]) -> Splits:
    return {split: [n for n in names if n not in left_out] for split, names in splits.items()}


def _prepare_all(work: _Work, splits: Splits) -> dict[str, str]:
    """Make the missing tiles; returns the names of those that cannot be made, with reasons."""
    known = work.left_out()
    if known is None and not work.keep_going:
        _refuse_findings(work.source.findings)
    remove_abandoned(work.folder)
    left_out = dict(known or {})
    names = [name for split in SPLITS for name in splits[split]]
    missing = [n for n in names if n not in left_out and not (work.folder / n).is_dir()]
    if missing:
        train = [name for name in splits["train"] if name not in left_out]
        calibration = _calibration(work, train, left_out)
        source = work.source.calibrated(calibration)
        make = partial(_prepare_one, source=source, recipe=work.recipe, folder=work.folder)
        todo = [name for name in missing if name not in left_out]
        for name, reason in over_tiles(make, todo, work.config.workers, "preparing tiles"):
            _note(reason, name, left_out, work.keep_going)
    left_out = dict(sorted(left_out.items()))
    if work.keep_going:
        keep_json(work.report, _report(work, left_out, _without(splits, left_out)))
    return left_out


def _note(reason: str | None, name: str, left_out: dict[str, str], keep_going: bool) -> None:
    if reason is not None and not keep_going:
        raise RoadexError(reason)
    if reason is not None:
        left_out[name] = reason


def _refuse_findings(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        if finding.kind is Kind.UNUSABLE:
            raise RoadexError(f"{finding.path}: {finding.reason}")


def _report(work: _Work, left_out: dict[str, str], splits: Splits) -> dict[str, Any]:
    """What is left out: tiles with unusable files, other files, and parts of labels."""
    found = [f for f in work.source.findings if f.kind is not Kind.UNLABELLED]
    facts = tile_facts(work.folder, splits)
    return {
        "left_out": left_out,
        "files": [f"{finding.path}: {finding.reason}" for finding in found],
        "labels": {name: fact["notes"] for name, fact in facts.items() if fact["notes"]},
    }


def _calibration(work: _Work, train: list[str], left_out: dict[str, str]) -> Calibration:
    """The contrast that the training tiles give, measured once and kept with the data."""
    settings = getattr(work.config, "stretch", None)
    if not isinstance(settings, StretchConfig):
        return {}
    path = work.folder / CONTRAST
    if work.contrast is not None:
        write_json(path, work.contrast)
    if not path.is_file():
        write_json(path, calibrate(_histograms(work, train, left_out), settings))
    return read_contrast(work.folder)


def _histograms(
    work: _Work, train: list[str], left_out: dict[str, str]
) -> Iterator[tuple[str, Histogram]]:
    """City and values of each training tile, as they come."""
    measure = partial(_histogram, source=work.source)
    for name, found in over_tiles(measure, train, work.config.workers, "measuring contrast"):
        if isinstance(found, str):
            _note(found, name, left_out, work.keep_going)
        elif found is not None:
            yield work.source.group(name), found


def _histogram(name: str, source: Source) -> Histogram | str | None:
    """The values of a tile, or why it cannot be used."""
    try:
        return source.histogram(name)
    except RoadexError as error:
        return str(error)


def _prepare_one(name: str, source: Source, recipe: TileRecipe, folder: Path) -> str | None:
    """Make one tile under a temporary name and rename it: a tile that is there is complete.

    Returns:
        Why it cannot be made, if a raw file is the reason.
    """
    try:
        tile = source.read(name)
    except RoadexError as error:
        return str(error)
    temporary = temporary_name(folder / name)
    try:
        prepare_tile(tile, recipe, temporary)
        sync_files(temporary)
        temporary.rename(folder / name)
    except OSError as error:
        if not (folder / name).is_dir():  # else another process was faster
            # NumPy reports a full disk as bytes that it could not write.
            reason = error.strerror or f"is the disk full? {error}"
            raise RoadexError(
                f"{folder} cannot be written ({reason}): set dataset.cache=DIR"
            ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return None
