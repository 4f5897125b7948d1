"""Sunlight: which pixels lie in the shadow of something, and how crowns are shaded."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.world.character import Character
from roadex.world.frame import Frame, Sheet
from roadex.world.texture import blurred


def shadows(heights: Sheet, character: Character, frame: Frame) -> Sheet:
    """How much of the sun (H, W) each surface misses, in 0..1.

    A surface of height h lies in the shadow of one of height H at distance d towards the sun if
    H - d * tan(elevation) > h.
    """
    drop = float(np.tan(character.sun_elevation)) * frame.gsd
    reach = min(int(heights.max() / drop), frame.size_px // 2)
    along = np.array([np.cos(character.sun_azimuth), np.sin(character.sun_azimuth)])
    highest = np.full_like(heights, -1e3)
    for step in range(1, reach + 1):
        columns, rows = np.round(step * along).astype(int)
        target, source = _overlap(rows, columns, heights.shape)
        np.maximum(highest[target], heights[source] - drop * step, out=highest[target])
    missing = np.clip((highest - heights) / np.float32(1.0), 0, 1)
    return blurred(missing, 0.35 / frame.gsd)


def _overlap(
    rows: int, columns: int, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices such that target[i] lies `rows`, `columns` after source[i]."""
    pairs = []
    for shift, size in ((rows, shape[0]), (columns, shape[1])):
        target = slice(max(0, shift), size + min(0, shift))
        source = slice(max(0, -shift), size - max(0, shift))
        pairs.append((target, source))
    return (pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1])


def shade(heights: Sheet, character: Character, frame: Frame) -> Sheet:
    """Brightness (H, W) about 1 of a rough surface whose slopes face the sun or away from it."""
    smooth = blurred(heights, max(0.5, 0.35 / frame.gsd))
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3) * np.float32(0.125 / frame.gsd)
    right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3) * np.float32(0.125 / frame.gsd)
    away = right * np.float32(np.cos(character.sun_azimuth))
    away += down * np.float32(np.sin(character.sun_azimuth))
    result: Sheet = 1 + np.float32(0.32) * np.tanh(away)
    return result


def lit(image: NDArray[np.float32], shadow: Sheet, darkness: float) -> NDArray[np.float32]:
    """Colours with shadows, which are bluer than sunlight since only the sky lights them."""
    sky = np.array([1 - darkness, 1 - 0.94 * darkness, 1 - 0.84 * darkness], dtype=np.float32)
    return image * (1 + shadow[..., None] * (sky - 1))
