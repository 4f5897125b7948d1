"""The loss terms that see topology, and those of segmentation-models-pytorch."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from roadex.config.labels import IGNORE
from roadex.config.loss import LossConfig
from roadex.losses.multitask import count_batch, multitask_loss
from roadex.losses.terms import NAMES, node_cross_entropy, soft_cldice_loss, soft_skeleton

OPENINGS = 5


def road(gap: slice | None = None, margin: int = 0) -> torch.Tensor:
    """A street of 8 px across 64 px, perhaps interrupted, or narrowed on either side."""
    mask = torch.zeros(1, 64, 64, dtype=torch.uint8)
    mask[:, 28 + margin : 36 - margin] = 1
    if gap is not None:
        mask[:, :, gap] = 0
    return mask


def certain(mask: torch.Tensor) -> torch.Tensor:
    """Logits (1, 2, H, W) that are certain of a mask."""
    sign = mask.float() * 2 - 1
    return 12 * torch.stack([-sign, sign], dim=1)


def test_the_truth_itself_costs_nothing_and_its_absence_nearly_all():
    assert soft_cldice_loss(certain(road()), road(), OPENINGS).item() < 0.01
    assert soft_cldice_loss(certain(0 * road()), road(), OPENINGS).item() > 0.9


def test_a_gap_costs_more_than_a_narrow_road_of_fewer_pixels():
    gap, narrow = road(gap=slice(24, 40)), road(margin=2)
    assert narrow.sum() < gap.sum()
    costs = [soft_cldice_loss(certain(x), road(), OPENINGS).item() for x in (narrow, gap)]
    assert costs[0] < 0.5 * costs[1]


def test_ignored_pixels_do_not_count():
    truth = road(gap=slice(24, 40))
    truth[:, :, 24:40] = 255
    assert soft_cldice_loss(certain(road()), truth, OPENINGS).item() < 0.02


def test_skeleton_of_a_street_is_its_middle():
    skeleton = soft_skeleton(road()[:, None].float(), OPENINGS)[0, 0]
    rows = skeleton[:, 20:44].sum(dim=1).nonzero().flatten()
    assert rows.min() >= 30 and rows.max() <= 33 and skeleton.max() > 0.9


def test_nodes_by_hand():
    """Two pixels at nodes, of probabilities 0.8 and 0.4, one of them a dead end."""
    p = torch.tensor([[[0.8, 0.4, 0.9, 0.1]]])
    logits = torch.stack([torch.log(1 - p), torch.log(p)], dim=1)
    connectivity = torch.tensor([[[1, 3, 2, 0]]], dtype=torch.uint8)
    target = torch.tensor([[[1, 0, 1, 0]]], dtype=torch.uint8)
    loss = node_cross_entropy(logits, target, connectivity, torch.tensor(4))
    assert loss.item() == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 4, rel=1e-5)


def test_terms_are_part_of_the_loss_and_pieces_add_up():
    torch.manual_seed(0)
    logits = {
        "segmentation": [torch.randn(3, 2, 32, 32)],
        "connectivity": [torch.randn(3, 5, 32, 32)],
    }
    mask = torch.randint(0, 2, (3, 32, 32), dtype=torch.uint8)
    connectivity = torch.randint(0, 5, (3, 32, 32), dtype=torch.uint8)
    config = LossConfig(cldice=0.5, nodes=2.0)
    total, terms = multitask_loss(logits, mask, connectivity, config)
    plain, _ = multitask_loss(logits, mask, connectivity, LossConfig())
    extra = 0.5 * terms["segmentation/cldice"] + 2 * terms["segmentation/nodes"]
    assert total.item() == pytest.approx((plain + extra).item(), rel=1e-5)
    whole = count_batch(logits, mask, connectivity)
    sums = 0.0
    for rows in (slice(0, 1), slice(1, 3)):
        piece = {task: [m[rows] for m in maps] for task, maps in logits.items()}
        sums += multitask_loss(piece, mask[rows], connectivity[rows], config, whole)[0].item()
    assert sums == pytest.approx(total.item(), rel=1e-5)


PLAIN = LossConfig(soft_iou=0, cross_entropy=1)


def batch(certain: float):
    """Logits of two tasks that are as certain of the labels as `certain`, and the labels."""
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
