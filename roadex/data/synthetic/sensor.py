"""From the light of a scene to the bytes of a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.data.synthetic.frame import Canvas
from roadex.data.synthetic.settings import WorldSettings


def expose(
    image: NDArray[np.float32], settings: WorldSettings, rng: np.random.Generator
) -> Canvas:
    """A picture (H, W, 3) of colours: haze, cast, contrast, blur, noise and compression."""
    picture = _graded(image * np.float32(1 / 255), settings, rng)
    sigma = settings.blur * rng.uniform(0.3, 0.8)
    if sigma > 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    picture = _noisy(picture, settings.noise * rng.uniform(0.003, 0.014), rng)
    if rng.random() < 0.5:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        picture = picture + np.float32(rng.uniform(0.2, 0.8)) * (picture - soft)
    quality = int(rng.integers(settings.jpeg_quality, 99)) if settings.jpeg_quality < 98 else 98
    return _compressed(np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8), quality)


def _graded(
    image: NDArray[np.float32], settings: WorldSettings, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Exposure, contrast, saturation, colour cast and haze."""
    grey = image.mean(axis=2, keepdims=True)
    image = grey + np.float32(rng.uniform(0.5, 1.0)) * (image - grey)
    target = rng.uniform(0.27, 0.46)
    gain = target / max(float(grey.mean()), 0.05)
    image = np.clip(image * np.float32(gain**0.75), 0, None)
    contrast = rng.uniform(0.95, 1.3)
    image = target + np.float32(contrast) * (image - np.float32(target))
    warm, green = settings.colour_cast * rng.normal(0, (0.05, 0.012))
    cast = np.array([1 + warm - green / 2, 1 + green, 1 - warm - green / 2])
    haze = settings.haze * rng.choice([0.0, rng.uniform(0.0, 0.16)], p=[0.5, 0.5])
    veil = np.array([0.66, 0.7, 0.76]) * haze
    scale = (cast * (1 - haze)).astype(np.float32)
    return np.clip(image * scale + veil.astype(np.float32), 0, 1)


def _noisy(
    picture: NDArray[np.float32], strength: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    if strength <= 0:
        return picture
    light = rng.standard_normal(picture.shape[:2], dtype=np.float32)
    return picture + np.float32(strength) * light[..., None]


def _compressed(picture: Canvas, quality: int) -> Canvas:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Canvas = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    return np.ascontiguousarray(decoded)
