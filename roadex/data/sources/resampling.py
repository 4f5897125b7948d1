"""Georeferenced tiles at square pixels of another size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def resized(
    image: NDArray[np.uint8], valid: NDArray[np.bool_] | None, shape: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """An image (H, W, 3), and where it has data (H, W), at another number of rows and columns."""
    if image.shape[:2] == shape:
        return image, valid
    shrinks = shape[0] <= image.shape[0] and shape[1] <= image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    seen = cv2.resize(image, shape[::-1], interpolation=how).astype(np.uint8, copy=False)
    if valid is None:
        return seen, None
    return seen, np.greater(resized_labels(valid.view(np.uint8), shape), 0)


def resized_labels(labels: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Labels (H, W) at another number of rows and columns: each that of the nearest pixel."""
    how = cv2.INTER_NEAREST_EXACT
    return np.asarray(cv2.resize(labels, shape[::-1], interpolation=how), np.uint8)
