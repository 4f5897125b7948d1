"""Prediction of whole tiles: windows, blending, and flips and turns.

Tiles of other pixels than the training's are seen as large as there, and scored as they are.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from roadex.config.inference import InferenceConfig
from roadex.engine.inference import (
    SYMMETRIES,
    Predictor,
    RescaledPredictor,
    normalize,
    windows,
    working_gsd,
)
from tests.support.stand_ins import BRIGHT, DARK, bright_model


class Brightness(nn.Module):
    """Road where the pixel is bright: a model whose answer does not depend on the window."""

    def forward(self, image: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        value = image.mean(dim=1, keepdim=True)
        return {"segmentation": [torch.cat([-value, value], dim=1)]}


class Position(nn.Module):
    """A model that sees the window's own row, column and corner, so that seams would show."""

    def forward(self, image: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        ramp = torch.linspace(-1, 1, image.shape[-1]).expand(image.shape[0], 1, *image.shape[-2:])
        return {"segmentation": [torch.cat([-ramp, ramp], dim=1)]}


def predictor(model: nn.Module, **settings) -> Predictor:
    device = torch.device("cpu")
    return Predictor(model, device, [0.5] * 3, [0.2] * 3, InferenceConfig(**settings))


def image(height: int = 150, width: int = 200) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_normalisation_is_the_stated_one():
    pixels = torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)
    assert normalize(pixels, [0.5] * 3, [0.25] * 3).flatten().tolist() == [2.0] * 3


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 64), (150, 200), (127, 331)])
def test_windows_cover_every_pixel_and_stay_inside(height, width):
    covered = np.zeros((height, width), int)
    for rows, columns in windows(height, width, InferenceConfig(window=64, overlap=16)):
        assert 0 <= rows.start < rows.stop <= height and rows.stop - rows.start == min(64, height)
        covered[rows, columns] += 1
    assert covered.min() >= 1


def test_windows_do_not_change_a_local_answer():
    whole = predictor(Brightness())(image())["segmentation"]
    parts = predictor(Brightness(), window=64, overlap=16)(image())["segmentation"]
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_windows_are_blended_without_a_seam():
    """Along the blend the answer may only move as fast as the overlap lets it."""
    road = predictor(Position(), window=64, overlap=32)(image())["segmentation"][1]
    assert np.abs(np.diff(road, axis=1)).max() < 0.06


def test_flips_and_turns_average_to_a_symmetric_answer():
    road = predictor(Position(), flips=True)(image(96, 96))["segmentation"][1]
    np.testing.assert_allclose(road, 0.5, atol=1e-5)


def test_every_symmetry_is_undone_by_its_inverse():
    x = torch.arange(12).view(1, 1, 3, 4)
    turned = {turn(x).numpy().tobytes() + bytes(turn(x).shape) for turn, _ in SYMMETRIES}
    assert len(turned) == 8
    assert all(torch.equal(undo(turn(x)), x) for turn, undo in SYMMETRIES)


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
