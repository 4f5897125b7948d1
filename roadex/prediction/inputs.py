"""Which images are predicted, and whether their results can be written."""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.prediction.stac import names_items, stac_images
from roadex.rasters.pictures import IMAGE_SUFFIXES, list_files
from roadex.rasters.remote import Remote, Source, as_source, is_remote, leads_elsewhere, list_remote

_IMAGES = (*IMAGE_SUFFIXES, ".vrt")
_LIST, _STAC = ".txt", (".json", ".geojson")


def find_images(pattern: str, assets: list[str] | None = None) -> list[Source]:
    """The images that `input=` names.

    A file, an address (https://, s3://, /vsi...), all in a folder or below an s3:// prefix, those
    that match a pattern, those that the lines of a text file name, or those of STAC items.

    Args:
        assets: which assets of STAC items are images.

    Raises:
        RoadexError: there are none.
    """
    found = _named(pattern, assets)
    if not found:
        raise RoadexError(f"input={pattern}: no such file, nor an image that matches; check it")
    return found


def _named(pattern: str, assets: list[str] | None) -> list[Source]:
    if is_remote(pattern):
        remote = Remote(pattern)
        if names_items(remote):
            return stac_images(remote, assets)
        return [*list_remote(remote, _IMAGES)] if pattern.endswith("/") else [remote]
    path = user_path(pattern)
    if path.is_dir():
        return _without_detours(list_files(path, "input", _IMAGES))
    if path.is_file() and path.suffix.lower() == _LIST:
        return _listed(path)
    if path.is_file() and path.suffix.lower() in _STAC:
        return stac_images(path, assets)
    if path.is_file():
        return [path]
    matches = (Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207
    return _without_detours(sorted(match for match in matches if match.suffix.lower() in _IMAGES))


def _without_detours(found: list[Path]) -> list[Source]:
    """Files that were not named one by one: none may refer to the internet.

    Raises:
        RoadexError: one does.
    """
    for path in found:
        if path.suffix.lower() == ".vrt" and leads_elsewhere(path):
            raise RoadexError(
                f"{path}: this VRT reads from the internet; if you want that, name it itself, "
                "input=FILE or as a line of a text file"
            )
    return list(found)


def _listed(path: Path) -> list[Source]:
    """The images that the lines of a text file name, paths counted from its folder.

    Empty lines and those that begin with # say nothing.

    Raises:
        RoadexError: it is no text, or names none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RoadexError(f"{path}: not a readable list of images, one a line") from error
    named = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not named:
        raise RoadexError(f"{path}: it names no image; write one path or address a line")
    sources = (as_source(name) for name in named)
    return [s if isinstance(s, Remote) else path.parent / s for s in sources]


def require_names(pattern: str, found: Sequence[Source]) -> None:
    """Check that no two images have the same name.

    Raises:
        RoadexError: two have, and their results would overwrite each other.
    """
    names: dict[str, list[Source]] = defaultdict(list)
    for image in found:
        names[image.stem].append(image)
    for same in names.values():
        if len(same) > 1:
            raise RoadexError(
                f"input={pattern}: {same[0]} and {same[1]} share a name; predict them one by one, "
                "or as one network (mosaic=true)"
            )


def check_folder(out: Path, images: Sequence[Source]) -> None:
    """Check that results can be written to a folder.

    Raises:
        RoadexError: it is a file, cannot be made or written, or holds the images themselves.
    """
    local = [image.resolve().parent for image in images if isinstance(image, Path)]
    if out.resolve() in local:
        raise RoadexError(
            f"out={out}: the images are there, and results could overwrite them; choose another"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".roadex.tmp"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise RoadexError(f"out={out}: cannot be written ({reason}); choose another") from error
