"""Topology losses: what interrupts a road costs more than what narrows it."""

from __future__ import annotations

import math

import pytest
import torch

from roadex.config.loss import LossConfig
from roadex.losses.multitask import count_batch, multitask_loss
from roadex.losses.terms import node_cross_entropy, soft_cldice_loss, soft_skeleton

OPENINGS = 5


def road(gap: slice | None = None, margin: int = 0) -> torch.Tensor:
    """A street of 8 px across 64 px, perhaps interrupted, or narrowed on either side."""
    mask = torch.zeros(1, 64, 64, dtype=torch.uint8)
    mask[:, 28 + margin : 36 - margin] = 1
    if gap is not None:
        mask[:, :, gap] = 0
    return mask


def certain(mask: torch.Tensor) -> torch.Tensor:
    """Logits (1, 2, H, W) of one who is sure of a mask."""
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
