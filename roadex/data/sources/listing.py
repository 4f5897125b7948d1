"""What the listings of all datasets share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from roadex.data.sources.files import Division, Entry, FileSource, Matched, Reader
from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.rasters.pictures import IMAGE_SUFFIXES, is_shown

Named = list[tuple[str, Path]]


def named(paths: Iterable[Path], suffix: str) -> Named:
    """Files by stem less a suffix; those without it are not meant."""
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
