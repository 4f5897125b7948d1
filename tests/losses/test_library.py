"""Losses of segmentation-models-pytorch as settings."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from roadex.config.labels import IGNORE
from roadex.config.loss import LossConfig
from roadex.losses.multitask import multitask_loss
from roadex.losses.terms import NAMES

PLAIN = LossConfig(soft_iou=0, cross_entropy=1)


def batch(certain: float):
    """Logits of two tasks that say the truth as surely as `certain`, and the truth."""
    rng = torch.Generator().manual_seed(0)
    mask = (torch.rand((2, 16, 16), generator=rng) < 0.3).to(torch.uint8)
    mask[:, :, 12:] = IGNORE
    road = certain * (2.0 * (mask == 1) - 1)
    ways = torch.zeros(2, 5, 16, 16)
    logits = {"segmentation": [torch.stack([-road, road], 1)], "connectivity": [ways]}
    return logits, mask, torch.zeros_like(mask)


@pytest.mark.parametrize("name", NAMES)
def test_each_adds_its_weight_times_a_loss_that_falls_with_the_truth(name):
    values = []
    for certain in (-4.0, 0.1, 8.0):
        logits, mask, connectivity = batch(certain)
        plain, _ = multitask_loss(logits, mask, connectivity, PLAIN)
        total, terms = multitask_loss(logits, mask, connectivity, replace(PLAIN, **{name: 0.5}))
        value = terms[f"segmentation/{name}"]
        assert total.item() == pytest.approx((plain + 0.5 * value).item(), rel=1e-5)
        values.append(value.item())
    assert values[0] > values[1] > values[2] and values[2] < 0.02


@pytest.mark.parametrize("name", NAMES)
def test_ignored_pixels_have_no_part_in_them(name):
    logits, mask, connectivity = batch(0.5)
    wanted = replace(PLAIN, **{name: 1.0})
    _, before = multitask_loss(logits, mask, connectivity, wanted)
    logits["segmentation"][0][:, :, :, 12:] = 7.0
    _, after = multitask_loss(logits, mask, connectivity, wanted)
    key = f"segmentation/{name}"
    assert after[key].item() == pytest.approx(before[key].item(), rel=1e-5)


def test_without_a_weight_there_is_none_of_them():
    _, terms = multitask_loss(*batch(1.0), PLAIN)
    assert not any(name.endswith(NAMES) for name in terms)
