"""Which images are predicted, and whether their results have somewhere to go."""

from __future__ import annotations

import glob
from collections import defaultdict
from pathlib import Path

from roadex.errors import RoadexError
from roadex.rasters.pictures import IMAGE_SUFFIXES, list_images


def find_images(pattern: str) -> list[Path]:
    """The images that `input=` names: a file, all in a folder, or those that match a pattern.

    Raises:
        RoadexError: there are none, or two of one name, whose results would overwrite each other.
    """
    path = Path(pattern).expanduser()
    if path.is_dir():
        found = list_images(path, "input")
    elif path.is_file():
        found = [path]
    else:
        matches = (Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207
        found = sorted(match for match in matches if match.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise RoadexError(f"input={pattern}: no such file, nor an image that matches; check it")
    names: dict[str, list[Path]] = defaultdict(list)
    for image in found:
        names[image.stem].append(image)
    for same in names.values():
        if len(same) > 1:
            raise RoadexError(
                f"input={pattern}: {same[0]} and {same[1]} have one name; predict them one by one"
            )
    return found


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
