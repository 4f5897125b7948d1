"""Tiles from pairs of files: an image and its label, and the listings that find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from roadex.config.dataset import SplitConfig
from roadex.data.sources.base import Finding, Kind, stamp
from roadex.data.splits import (
    SPLITS,
    Splits,
    assign_splits,
    expand_groups,
    folded,
    require_members,
)
from roadex.data.stretch import Calibration, Histogram
from roadex.data.tile import Tile
from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.rasters.pictures import IMAGE_SUFFIXES, is_shown


@dataclass(frozen=True)
class Entry:
    """The files of one tile.

    Attributes:
        group: the city or other set of tiles that it belongs to.
        corner: column and row of the image's corner in a label that covers more than the image.
    """

    image: Path
    label: Path
    group: str = ""
    corner: tuple[int, int] = (0, 0)


class Reader(Protocol):
    """Makes a tile from its two files."""

    def read(self, entry: Entry) -> Tile:
        """The tile.

        Raises:
            RoadexError: one of the files cannot be used.
        """

    def histogram(self, entry: Entry) -> Histogram | None:
        """See `Source.histogram`."""

    def calibrated(self, calibration: Calibration) -> Reader:
        """See `Source.calibrated`."""

    def identity(self) -> dict[str, Any]:
        """The settings that its tiles depend on."""


_NO_FOLDER = (
    "fill its folder, from which the published split is taken, or give lists with "
    "dataset.splits.lists=DIR"
)


@dataclass(frozen=True)
class Division:
    """How the tiles of a source are split.

    Attributes:
        config: lists, or a rule, and the fold.
        published: the splits that the folders of the dataset give, unless lists are configured.
        by_group: split whole groups (cities), so that neighbours stay together.
    """

    config: SplitConfig
    published: Splits | None = None
    by_group: bool = False

    def splits(self, entries: Mapping[str, Entry], needed: Sequence[str]) -> Splits:
        """The names of `entries` by split.

        Raises:
            RoadexError: a list is wrong, or a `needed` split is empty.
        """
        if self.published is not None and not self.config.lists:
            return require_members(folded(self.published, self.config), _NO_FOLDER, needed)
        if not self.by_group:
            return assign_splits(sorted(entries), self.config, needed)
        groups = sorted({entry.group for entry in entries.values()})
        members = {name: entry.group for name, entry in entries.items()}
        return expand_groups(assign_splits(groups, self.config, needed), members)


@dataclass(frozen=True)
class FileSource:
    """A dataset of files: entries found by name, read by one reader."""

    entries: dict[str, Entry]
    reader: Reader
    division: Division
    findings: tuple[Finding, ...] = ()

    def splits(self, needed: Sequence[str] = SPLITS) -> Splits:
        """Tile names by split."""
        return self.division.splits(self.entries, needed)

    def read(self, name: str) -> Tile:
        """The tile of two files."""
        return self.reader.read(self.entries[name])

    def group(self, name: str) -> str:
        """The group of the tile's entry."""
        return self.entries[name].group

    def histogram(self, name: str) -> Histogram | None:
        """The values of a tile, if its reader needs them."""
        return self.reader.histogram(self.entries[name])

    def calibrated(self, calibration: Calibration) -> FileSource:
        """The same files, read with that contrast."""
        return replace(self, reader=self.reader.calibrated(calibration))

    def identity(self) -> dict[str, Any]:
        """The files, by name, size and modification time, and the reader's settings."""
        files = {
            name: [stamp(entry.image), stamp(entry.label), *entry.corner]
            for name, entry in sorted(self.entries.items())
        }
        return {"files": files, **self.reader.identity()}

    def notes(self) -> list[str]:
        """The number of tiles, and what was left out."""
        lines = [f"{len(self.entries)} images with labels"]
        groups = sorted({entry.group for entry in self.entries.values()} - {""})
        if groups:
            lines[0] += f" in {', '.join(groups)}"
        for kind in Kind:
            lines += _left_out(kind, [f.path.name for f in self.findings if f.kind is kind])
        return lines


@dataclass(frozen=True)
class Matched:
    """Files paired by name, and those without a partner."""

    pairs: dict[str, tuple[Path, Path]]
    findings: tuple[Finding, ...]


def match(images: Iterable[tuple[str, Path]], labels: Iterable[tuple[str, Path]]) -> Matched:
    """Pair named images with named labels; all files that share a name are left out."""
    found: list[Finding] = []
    image_of, label_of = _unique(images, found), _unique(labels, found)
    doubled = {name for name, path in (*image_of.items(), *label_of.items()) if path is None}
    pairs: dict[str, tuple[Path, Path]] = {}
    for name in sorted((image_of.keys() | label_of.keys()) - doubled):
        image, label = image_of.get(name), label_of.get(name)
        if image and label:
            pairs[name] = (image, label)
        elif image:
            found.append(Finding(image, Kind.UNLABELLED, "it has no label"))
        elif label:
            found.append(Finding(label, Kind.ORPHAN, "its image is missing"))
    return Matched(pairs, tuple(found))


def _unique(named: Iterable[tuple[str, Path]], found: list[Finding]) -> dict[str, Path | None]:
    """The file of each name; None if there are several."""
    paths: dict[str, list[Path]] = {}
    for name, path in named:
        paths.setdefault(name, []).append(path)
    for name, several in paths.items():
        for path in several if len(several) > 1 else ():
            other = next(p for p in several if p != path)
            reason = f"{other} has the same name '{name}'; remove one of them"
            found.append(Finding(path, Kind.UNUSABLE, reason))
    return {name: several[0] if len(several) == 1 else None for name, several in paths.items()}


def _left_out(kind: Kind, names: list[str]) -> list[str]:
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return [f"left out: {len(names)} {kind.value} ({shown})"] if names else []


Named = list[tuple[str, Path]]


def named(paths: Iterable[Path], suffix: str) -> Named:
    """Files by their stem without a suffix; files that lack the suffix are skipped."""
    return [
        (path.stem[: len(path.stem) - len(suffix)], path)
        for path in paths
        if path.stem.endswith(suffix)
    ]


def raw_folder(raw: str) -> Path:
    """The folder of `dataset.raw`.

    Raises:
        RoadexError: it is not there.
    """
    folder = user_path(raw)
    if not folder.is_dir():
        raise RoadexError(f"dataset.raw={raw}: there is no such folder; name the downloaded one")
    return folder


def images_below(folder: Path) -> list[Path]:
    """All image files in a folder and its sub-folders, by name."""
    return sorted(
        p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and is_shown(p)
    )


def to_source(
    matched: Matched,
    reader: Reader,
    division: Division,
    where: str,
    remedy: str,
    group: Callable[[str], str] = lambda name: "",
) -> FileSource:
    """A source of matched files; `group` gives the city or the like of a tile's name.

    Raises:
        RoadexError: no image has a label.
    """
    if not matched.pairs:
        for finding in matched.findings:
            if finding.reason.endswith("remove one of them"):
                raise RoadexError(f"{finding.path}: {finding.reason}")
        raise RoadexError(
            f"{where}: no image has a label ({len(matched.findings)} files looked at); {remedy}"
        )
    entries = {
        name: Entry(image, label, group(name)) for name, (image, label) in matched.pairs.items()
    }
    return FileSource(entries, reader, division, matched.findings)
