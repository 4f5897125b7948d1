"""Sunlight and shadows, and the way from the light of a scene to the bytes of a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.world import WorldSettings
from roadex.world.character import Character
from roadex.world.frame import Canvas, Frame, Sheet
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


def expose(image: NDArray[np.float32], settings: WorldSettings, rng: np.random.Generator) -> Canvas:
    """A picture (H, W, 3) of colours: haze, cast, contrast, blur, noise and compression."""
    picture = _graded(image * np.float32(1 / 255), settings, rng)
    sigma = settings.blur * rng.uniform(0.25, 0.75)
    if sigma > 0.3:
        picture = blurred(picture, sigma)
    picture = _sharpened(picture, rng)
    picture = _noisy(picture, settings.noise * rng.uniform(0.003, 0.012), rng)
    quality = int(rng.integers(settings.jpeg_quality, 99)) if settings.jpeg_quality < 98 else 98
    return _compressed(np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8), quality)


def _graded(
    image: NDArray[np.float32], settings: WorldSettings, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Exposure, contrast, saturation, colour cast and haze."""
    target = rng.uniform(0.24, 0.45)
    gain = (target / max(float(image.mean()), 0.05)) ** 0.85
    contrast = rng.uniform(0.95, 1.45)
    saturation = rng.uniform(0.5, 1.0) / contrast**0.7
    mixing = saturation * np.eye(3) + (1 - saturation) / 3
    warm, green = settings.colour_cast * rng.normal(0, (0.05, 0.012))
    cast = np.array([1 + warm - green / 2, 1 + green, 1 - warm - green / 2])
    haze = settings.haze * rng.choice([0.0, rng.uniform(0.0, 0.16)], p=[0.5, 0.5])
    veil = np.array([0.66, 0.7, 0.76]) * haze
    scale = gain * contrast * cast * (1 - haze)
    offset = target * (1 - contrast) * cast * (1 - haze) + veil
    affine = np.column_stack([scale[:, None] * mixing, offset]).astype(np.float32)
    return np.clip(cv2.transform(image, affine), 0, 1)


def _sharpened(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """What most providers do to their pictures, many too much."""
    amount = rng.choice([0.0, rng.uniform(0.3, 1.8)], p=[0.3, 0.7])
    if amount == 0:
        return picture
    return picture + np.float32(amount) * (picture - blurred(picture, rng.uniform(0.7, 1.2)))


def _noisy(
    picture: NDArray[np.float32], strength: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    if strength <= 0:
        return picture
    light = rng.standard_normal(picture.shape[:2], dtype=np.float32)
    return picture + np.float32(strength) * light[..., None]


def _compressed(picture: Canvas, quality: int) -> Canvas:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])
