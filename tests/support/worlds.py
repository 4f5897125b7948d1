"""Small raw datasets, written to disk for tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from roadex.rasters.pictures import write_image


def write_pair(images: Path, masks: Path, name: str, size: int = 96, suffixes=("", "")) -> None:
    """A grey street across green noise, and its mask; the name decides where it lies."""
    rng = np.random.default_rng(list(name.encode()))
    image = rng.integers(60, 110, (size, size, 3)).astype(np.uint8)
    mask = np.zeros((size, size), np.uint8)
    first, second = rng.integers(0, size, 2)
    cv2.line(mask, (int(first), 0), (int(second), size), 255, 9)
    image[mask > 0] = rng.integers(150, 180)
    write_image(images / f"{name}{suffixes[0]}.png", image)
    write_image(masks / f"{name}{suffixes[1]}.png", mask)


def write_folder(root: Path, count: int = 30, size: int = 96) -> tuple[Path, Path]:
    """`count` pairs in root/images and root/masks."""
    for index in range(count):
        write_pair(root / "images", root / "masks", f"tile{index:02d}", size)
    return root / "images", root / "masks"
