"""Tiles of other pixels than the training's are seen as large as there, and scored as they are."""

from __future__ import annotations

import numpy as np
import pytest

from roadex.engine.inference import RescaledPredictor, working_gsd
from tests.support.stand_ins import BRIGHT, DARK, bright_model


@pytest.mark.parametrize("factor", [0.5, 0.73, 1.6, 3.0])
def test_roads_stay_where_they_are(factor):
    image = np.full((90, 120, 3), DARK, np.uint8)
    image[30:60, 20:100] = BRIGHT
    seen = []

    def predict(picture):
        seen.append(picture.shape[:2])
        return bright_model().predictor(picture)

    found = RescaledPredictor(predict, factor)(image)
    assert seen == [(round(90 * factor), round(120 * factor))]
    assert found["segmentation"].shape == (2, 90, 120)
    assert found["connectivity"].shape == (5, 90, 120)
    np.testing.assert_allclose(found["segmentation"].sum(axis=0), 1, atol=1e-5)
    road = found["segmentation"][1] > 0.5
    wrong = road != (image[..., 0] == BRIGHT)
    assert wrong.sum() <= 2 * (30 + 80) / min(factor, 1)


def test_pixel_size_that_is_seen():
    assert [working_gsd(m, 1.0, None) for m in (0.3, 1.0, 2.0)] == [1.0, 1.0, 1.0]
    assert [working_gsd(m, 1.0, 0.5) for m in (0.3, 0.7, 2.0)] == [0.5, 0.7, 1.0]
