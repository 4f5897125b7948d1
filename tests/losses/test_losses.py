"""Loss values against hand-computed ones, and targets that align with the crop."""

from __future__ import annotations

import math

import pytest
import torch

from roadex.config.loss import LossConfig
from roadex.losses.multitask import count_batch, multitask_loss
from roadex.losses.targets import reduced_classes, reduced_mask
from roadex.losses.terms import (
    balanced_cross_entropy,
    class_counts,
    class_weights,
    soft_iou_loss,
)

SYMMETRIES = [(turns, flip) for turns in range(4) for flip in (False, True)]


def logits_of(road: list[list[float]]) -> torch.Tensor:
    """Two-class logits (1, 2, H, W) whose softmax gives these road probabilities."""
    p = torch.tensor(road)
    return torch.stack([torch.log(1 - p), torch.log(p)])[None]


def test_soft_iou_by_hand():
    # Road: I = 0.8, U = (0.8 + 0.4) + 1 - 0.8 = 1.4. Background: I = 0.6, U = 0.8 + 1 - 0.6 = 1.2.
    loss = soft_iou_loss(logits_of([[0.8, 0.4]]), torch.tensor([[[1, 0]]]))
    assert loss.item() == pytest.approx(1 - (0.8 / 1.4 + 0.6 / 1.2) / 2, abs=1e-6)


def test_soft_iou_leaves_ignored_pixels_out():
    with_ignored = soft_iou_loss(logits_of([[0.8, 0.4, 0.9]]), torch.tensor([[[1, 0, 255]]]))
    without = soft_iou_loss(logits_of([[0.8, 0.4]]), torch.tensor([[[1, 0]]]))
    assert with_ignored.item() == pytest.approx(without.item(), abs=1e-6)


def test_class_weights_by_hand():
    target = torch.tensor([[[0, 0, 0, 2], [0, 0, 2, 255]]], dtype=torch.uint8)
    expected = [1 / math.log(1.02 + share) for share in (5 / 7, 0, 2 / 7)]
    torch.testing.assert_close(class_weights(class_counts(target, 3)), torch.tensor(expected))


def test_balanced_cross_entropy_by_hand():
    # Weighted mean of -log p over a pixel of class 0 (p = 0.7) and one of class 1 (p = 0.2).
    logits = logits_of([[0.3, 0.2]])
    weight = 1 / math.log(1.02 + 0.5)
    expected = -(weight * math.log(0.7) + weight * math.log(0.2)) / (2 * weight)
    loss = balanced_cross_entropy(logits, torch.tensor([[[0, 1]]]))
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_cross_entropy_of_a_crop_without_labels_is_zero_and_differentiable():
    logits = torch.randn(1, 5, 4, 4, requires_grad=True)
    loss = balanced_cross_entropy(logits, torch.full((1, 4, 4), 255, dtype=torch.uint8))
    loss.backward()
    assert loss.item() == 0 and logits.grad is not None and not logits.grad.any()


def test_joint_loss_is_the_weighted_sum_of_its_terms():
    torch.manual_seed(0)
    logits = {
        "segmentation": [
            torch.randn(2, 2, 4, 4),
            torch.randn(2, 2, 4, 4),
            torch.randn(2, 2, 16, 16),
        ],
        "connectivity": [
            torch.randn(2, 5, 4, 4),
            torch.randn(2, 5, 4, 4),
            torch.randn(2, 5, 16, 16),
        ],
    }
    mask = torch.randint(0, 2, (2, 16, 16), dtype=torch.uint8)
    connectivity = torch.randint(0, 5, (2, 16, 16), dtype=torch.uint8)
    total, terms = multitask_loss(logits, mask, connectivity, LossConfig())
    assert set(terms) == {
        f"{task}/{scale}" for task in logits for scale in ("stack1", "stack2", "full")
    }
    assert total.item() == pytest.approx(sum(t.item() for t in terms.values()), rel=1e-6)
    config = LossConfig(connectivity=0.0, intermediate=0.5)
    weighted, _ = multitask_loss(logits, mask, connectivity, config)
    expected = terms["segmentation/full"] + 0.5 * (
        terms["segmentation/stack1"] + terms["segmentation/stack2"]
    )
    assert weighted.item() == pytest.approx(expected.item(), rel=1e-6)


def test_losses_of_a_batch_s_pieces_add_up_to_its_own():
    """Unequal pieces with different class shares, one of them wholly ignored."""
    torch.manual_seed(0)
    shapes = {"segmentation": 2, "connectivity": 5}
    logits = {
        task: [
            torch.randn(5, classes, side, side, requires_grad=True, dtype=torch.float64)
            for side in (4, 16)
        ]
        for task, classes in shapes.items()
    }
    mask = torch.randint(0, 2, (5, 16, 16), dtype=torch.uint8)
    connectivity = torch.randint(0, 5, (5, 16, 16), dtype=torch.uint8)
    mask[0], connectivity[0] = 255, 255
    connectivity[1] = 0
    config = LossConfig(cross_entropy=0.5)
    total, _ = multitask_loss(logits, mask, connectivity, config)
    leaves = [x for maps in logits.values() for x in maps]
    expected = torch.autograd.grad(total, leaves)
    whole = count_batch(logits, mask, connectivity)
    sums = 0.0
    for rows in (slice(0, 1), slice(1, 3), slice(3, 5)):
        piece = {task: [x[rows] for x in maps] for task, maps in logits.items()}
        part, _ = multitask_loss(piece, mask[rows], connectivity[rows], config, whole)
        part.backward()
        sums += part.item()
    assert sums == pytest.approx(total.item(), rel=1e-6)
    for leaf, gradient in zip(leaves, expected, strict=True):
        torch.testing.assert_close(leaf.grad, gradient, rtol=1e-5, atol=1e-10)


def test_quarter_mask_is_the_bilinear_resize_of_the_mask():
    torch.manual_seed(0)
    mask = (torch.rand(2, 32, 40) < 0.5).to(torch.uint8)
    resized = torch.nn.functional.interpolate(
        mask[:, None].float(), scale_factor=0.25, mode="bilinear"
    )
    assert torch.equal(reduced_mask(mask), (resized[:, 0] >= 0.5).to(torch.uint8))


@pytest.mark.parametrize("offset", range(8))
def test_quarter_targets_align_with_the_crop_whatever_its_offset(offset):
    """A quarter pixel describes its own 4x4 block of the crop, not a block of the tile's grid."""
    tile = torch.zeros(1, 64, 64, dtype=torch.uint8)
    tile[:, 20:28, 12:40] = 1
    crop = tile[:, offset : offset + 48, offset : offset + 48]
    by_block = crop.unfold(1, 4, 4).unfold(2, 4, 4).float().mean(dim=(-1, -2))
    quarter = reduced_mask(crop)
    assert (quarter[by_block == 1] == 1).all() and (quarter[by_block == 0] == 0).all()
    assert torch.equal(
        reduced_classes(crop, 2)[by_block > 0.5], torch.ones(int((by_block > 0.5).sum())).byte()
    )


@pytest.mark.parametrize(("turns", "flip"), SYMMETRIES)
def test_quarter_targets_commute_with_flips_and_turns(turns, flip):
    torch.manual_seed(0)
    labels = torch.randint(0, 5, (1, 32, 32), dtype=torch.uint8)
    labels[:, 5:9, 3:12] = 255

    def change(x: torch.Tensor) -> torch.Tensor:
        turned = x.rot90(turns, (-2, -1))
        return turned.flip(-1) if flip else turned

    assert torch.equal(reduced_classes(change(labels), 5), change(reduced_classes(labels, 5)))
    mask = labels.clamp(max=1).where(labels != 255, 255).to(torch.uint8)
    assert torch.equal(reduced_mask(change(mask)), change(reduced_mask(mask)))


def test_rare_classes_win_ties_and_majorities_win_otherwise():
    block = torch.zeros(1, 4, 4, dtype=torch.uint8)
    block[:, :2] = 3
    assert reduced_classes(block, 5).item() == 3
    block[:, 1, 0] = 0
    assert reduced_classes(block, 5).item() == 0


def test_sides_that_do_not_divide_by_four_round_up_and_ignore_the_rest():
    mask = torch.ones(1, 6, 9, dtype=torch.uint8)
    quarter = reduced_mask(mask)
    assert quarter.shape == (1, 2, 3)
    assert quarter[0, 0, :2].tolist() == [1, 1] and quarter[0, 1, 2] == 255
