"""Reading image and mask files and their world files.

What cannot be read, or does not fit into memory, is refused.
"""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from roadex.errors import RoadexError
from roadex.files import atomic_write, is_readable, user_path
from roadex.rasters.remote import leads_elsewhere

# Real images exceed Pillow's limit; the declared size is compared with the memory instead.
Image.MAX_IMAGE_PIXELS = None
_BYTES_PER_PIXEL = 8
_AT_ONCE = 4  # bands
_PNG = b"\x89PNG\r\n\x1a\n"
VRT = ".vrt"
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")


def list_images(folder: str | Path, key: str) -> list[Path]:
    """The image files in a folder, or those that match a pattern such as DIR/*.vrt, by name.

    Args:
        key: the setting that named the folder, for the message.

    Raises:
        RoadexError: the folder does not exist, or no image is there.
    """
    found = list_files(folder, key, IMAGE_SUFFIXES)
    for file in found:
        if file.suffix.lower() == VRT and leads_elsewhere(file):
            raise RoadexError(f"{file}: this VRT reads from the network; fetch what it names first")
    return found


def list_files(folder: str | Path, key: str, suffixes: tuple[str, ...]) -> list[Path]:
    """The files in a folder with one of some suffixes, by name; else as `list_images`."""
    path = user_path(folder)
    what = "images" if suffixes == IMAGE_SUFFIXES else "files"
    if not path.is_dir() and glob.has_magic(path.name) and path.parent.is_dir():
        suffixes, pattern = (*suffixes, VRT) if what == "images" else suffixes, path.name
        path = path.parent
    elif path.is_dir():
        pattern = "*"
    else:
        raise RoadexError(f"{key}={folder}: there is no such folder; name the one with the {what}")
    if not is_readable(path):
        raise RoadexError(
            f"{key}={folder}: cannot be read (Permission denied): let this user read it"
        )
    found = sorted(p for p in path.glob(pattern) if p.suffix.lower() in suffixes and is_shown(p))
    if not found:
        raise RoadexError(f"{key}={folder}: no {what} there ({', '.join(suffixes)})")
    return found


def read_image(path: Path) -> NDArray[np.uint8]:
    """An image as (H, W, 3) uint8 RGB.

    Raises:
        RoadexError: the file is damaged, or has more than 8 bits.
    """
    image = decode(path)
    if image.mode.startswith(("I", "F")) or bit_depth(path) > 8:
        raise RoadexError(f"{path}: more than 8 bits per channel; convert the image to 8 bits")
    return np.array(image.convert("RGB"))


def by_bands(
    change: Callable[[NDArray[np.uint8]], Any], image: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """An image (H, W, n) changed by a function of OpenCV, most of which take four bands at most."""
    count = image.shape[2]
    parts = [image[..., first : first + _AT_ONCE] for first in range(0, count, _AT_ONCE)]
    changed = [np.asarray(change(np.ascontiguousarray(part)), np.uint8) for part in parts]
    return changed[0] if len(changed) == 1 else np.dstack(changed)


def bit_depth(path: Path) -> int:
    """Bits per channel that a PNG declares, of which Pillow would use the upper 8; else 8."""
    with path.open("rb") as file:
        head = file.read(25)
    return head[24] if head.startswith(_PNG) and len(head) == 25 else 8


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) RGB or (H, W) uint8, the format chosen by the suffix."""
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    done, code = cv2.imencode(path.suffix, pixels)
    assert done, path
    with atomic_write(path) as temporary:
        temporary.write_bytes(code.tobytes())


def decode(path: Path, what: str = "image") -> Image.Image:
    """The picture in a file; Pillow refuses truncated files, where others fill the missing rows.

    Raises:
        RoadexError: the file is damaged, or too large for this machine.
    """
    try:
        with Image.open(path) as image:
            require_memory(path, image.width * image.height * _BYTES_PER_PIXEL)
            image.load()
            result: Image.Image = image
            return result
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise RoadexError(f"{path}: not a readable {what}; replace or remove the file") from error


def is_shown(path: Path) -> bool:
    """Whether a file is not hidden; macOS puts ._NAME beside each file on foreign disks."""
    return not path.name.startswith(".")


_SHARE = 0.7


def require_memory(path: Path, needed: float) -> None:
    """Refuse a file that would need more bytes than most of the machine's memory.

    Raises:
        RoadexError: it would.
    """
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > _SHARE * there:
        raise RoadexError(
            f"{path}: it declares a size that needs {needed / 2**30:.0f} GiB of memory, of "
            f"{there / 2**30:.0f} GiB here; cut it into tiles"
        )


# Smaller steps are degrees, not metres; no imagery of roads has pixels of a centimetre.
_LEAST_M = 0.01


def pixel_of_step(across: float, down: float) -> tuple[float, float] | None:
    """Width and height of a pixel in metres, from the steps along a row and down a column.

    Without a coordinate system the steps are taken as metres, if that is plausible.
    """
    step = abs(across), abs(down)
    return step if min(step) >= _LEAST_M else None


def world_file_pixel(picture: Path) -> tuple[float, float] | None:
    """Width and height of a picture's pixels in metres by its world file; None without one."""
    for path in _beside(picture):
        numbers = _numbers(path)
        if numbers is not None:
            return pixel_of_step(math.hypot(*numbers[:2]), math.hypot(*numbers[2:4]))
    return None


def _beside(picture: Path) -> list[Path]:
    """Where its world file may be: a.pgw, a.pngw or a.wld of a.png."""
    suffix = picture.suffix
    names = (suffix[:2] + suffix[-1:] + "w", suffix + "w", ".wld")
    return [path for name in names if (path := picture.with_suffix(name)).is_file()]


def _numbers(path: Path) -> list[float] | None:
    try:
        words = path.read_text(encoding="utf-8").split()
        numbers = [float(word.replace(",", ".")) for word in words]
    except (OSError, ValueError):
        return None
    return numbers if len(numbers) == 6 else None
