"""Resampling in parts is resampling of the whole, as training tiles are resized."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from roadex.prediction.resample import Resampling

SHAPES = [
    ((131, 97), (60, 50), cv2.INTER_AREA),
    ((131, 97), (131, 50), cv2.INTER_AREA),
    ((64, 50), (100, 111), cv2.INTER_LINEAR),
    ((64, 50), (60, 111), cv2.INTER_LINEAR),
    ((1, 7), (3, 2), cv2.INTER_LINEAR),
]


def in_parts(resampling: Resampling, image: np.ndarray, height: int) -> np.ndarray:
    bounds = range(0, resampling.target[0], height)
    spans = [slice(top, min(top + height, resampling.target[0])) for top in bounds]
    return np.concatenate(
        [resampling.apply(image[resampling.source_rows(rows)], rows) for rows in spans]
    )


@pytest.mark.parametrize(("source", "target", "how"), SHAPES)
def test_parts_are_what_opencv_makes_of_the_whole(source, target, how):
    image = np.random.default_rng(0).integers(0, 256, (*source, 3)).astype(np.uint8)
    expected = cv2.resize(image, target[::-1], interpolation=how)
    found = np.rint(in_parts(Resampling(source, target), image, 13))
    # OpenCV interpolates with weights of 11 bits, so it may round the other way.
    assert np.abs(found - expected).max() <= (1 if how == cv2.INTER_LINEAR else 0)


@pytest.mark.parametrize(("source", "target", "how"), SHAPES)
def test_a_constant_stays(source, target, how):
    resampling = Resampling(source, target)
    image = np.full((*source, 1), 200, np.uint8)
    np.testing.assert_allclose(in_parts(resampling, image, 7), 200, atol=1e-3)


def test_the_same_shape_is_left_alone():
    assert Resampling((5, 4), (5, 4)).is_identity
    assert Resampling((5, 4), (5, 4)).source_rows(slice(2, 4)) == slice(2, 4)


@pytest.mark.parametrize("target", [(40, 50), (150, 170)])
def test_some_columns_are_what_they_are_in_the_whole(target):
    pixels = np.random.default_rng(0).integers(0, 256, (100, 120, 3), np.uint8)
    how = Resampling((100, 120), target)
    rows, columns = slice(7, 31), slice(11, 40)
    part = pixels[how.source_rows(rows), how.source_columns(columns)]
    whole = how.apply(pixels[how.source_rows(rows)], rows)
    assert np.array_equal(how.apply(part, rows, columns), whole[:, columns])
