"""World files: six numbers beside a picture that say how large its pixels are."""

from __future__ import annotations

from pathlib import Path

# Smaller steps count degrees and not metres; nothing takes pictures of roads at a centimetre.
_LEAST_M = 0.01


def pixel_of_step(across: float, down: float) -> tuple[float, float] | None:
    """Width and height of a pixel in metres, from the steps along a row and down a column.

    Without a coordinate system the steps are taken for metres, if they can be.
    """
    step = abs(across), abs(down)
    return step if min(step) >= _LEAST_M else None


def world_file_pixel(picture: Path) -> tuple[float, float] | None:
    """Width and height of a picture's pixels in metres by its world file; None without one."""
    for path in _beside(picture):
        numbers = _numbers(path)
        if numbers is not None and not any(numbers[1:3]):
            return pixel_of_step(numbers[0], numbers[3])
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
