"""Which images are predicted, and whether their results have somewhere to go."""

from __future__ import annotations

import glob
from collections import defaultdict
from pathlib import Path

from roadex.errors import RoadexError
from roadex.rasters.pictures import IMAGE_SUFFIXES, list_files

_SUFFIXES = (*IMAGE_SUFFIXES, ".vrt")


def find_images(pattern: str) -> list[Path]:
    """The images that `input=` names.

    A file, all in a folder, those that match a pattern, or those that a text file names.

    Raises:
        RoadexError: there are none.
    """
    path = Path(pattern).expanduser()
    if path.is_dir():
        found = list_files(path, "input", _SUFFIXES)
    elif path.suffix.lower() == ".txt":
        found = _listed(path)
    elif path.is_file():
        found = [path]
    else:
        matches = (Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207
        found = sorted(match for match in matches if match.suffix.lower() in _SUFFIXES)
    if not found:
        raise RoadexError(f"input={pattern}: no such file, nor an image that matches; check it")
    return found


def _listed(path: Path) -> list[Path]:
    """The images that a text file names, one a line, beside it where they are no full paths."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RoadexError(f"input={path}: not a readable list of images, a path a line") from error
    return [path.parent / line.strip() for line in lines if line.strip()]


def require_names(pattern: str, found: list[Path]) -> None:
    """Check that no two images have one name.

    Raises:
        RoadexError: two have, and their results would overwrite each other.
    """
    names: dict[str, list[Path]] = defaultdict(list)
    for image in found:
        names[image.stem].append(image)
    for same in names.values():
        if len(same) > 1:
            raise RoadexError(
                f"input={pattern}: {same[0]} and {same[1]} have one name; predict them one by one"
            )


def check_folder(out: Path, images: list[Path]) -> None:
    """Check that results can be written to a folder.

    Raises:
        RoadexError: it is a file, cannot be made or written, or holds the images themselves.
    """
    if any(image.resolve().parent == out.resolve() for image in images):
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
