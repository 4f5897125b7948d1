"""From the light of a scene to the bytes of a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.world import WorldSettings
from roadex.world.frame import Canvas
from roadex.world.texture import blurred


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
