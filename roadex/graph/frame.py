"""The image frame: x right and y down in metres, the origin at the tile's outer top left corner."""

from __future__ import annotations

from roadex.errors import RoadexError

# Ground sampling distance in metres: one number, or (along x, along y) for oblong pixels.
Gsd = float | tuple[float, float]


def pixel_size(gsd: Gsd) -> tuple[float, float]:
    """Metres per pixel along x and y.

    Raises:
        RoadexError: a pixel size that is not positive.
    """
    along_x, along_y = gsd if isinstance(gsd, tuple) else (gsd, gsd)
    if not (along_x > 0 and along_y > 0):
        raise RoadexError(f"gsd={gsd}: the pixel size must be more than 0 metres")
    return float(along_x), float(along_y)


def extent(shape: tuple[int, int], gsd: Gsd) -> tuple[float, float]:
    """Width and height in metres of a tile of `shape` (rows, columns)."""
    along_x, along_y = pixel_size(gsd)
    return shape[1] * along_x, shape[0] * along_y
