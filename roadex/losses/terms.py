"""The loss terms of one output map."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

IGNORE = 255


def soft_iou_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 - the mean over samples and classes of I / U, with I = sum P G and U = sum (P + G - P G).

    P is the softmax and G the one-hot target (Rahman and Wang 2016, over all classes). Ignored
    pixels count in neither sum.

    Args:
        logits: (B, K, H, W).
        target: (B, H, W) class indices, 255 = ignore.
    """
    valid = (target != IGNORE).unsqueeze(1)
    probability = logits.float().softmax(dim=1) * valid
    indices = target.long().where(target != IGNORE, 0)
    truth = functional.one_hot(indices, logits.shape[1]).movedim(-1, 1) * valid
    product = probability * truth
    union = (probability + truth - product).sum(dim=(2, 3))
    return 1 - (product.sum(dim=(2, 3)) / (union + 1e-8)).mean()


def class_weights(target: Tensor, classes: int) -> Tensor:
    """1 / ln(1.02 + p_c), p_c the class's share of the pixels that are not ignored: (classes,).

    The weighting of ENet (Paszke et al. 2016), computed for each batch and scale.
    """
    counts = torch.bincount(target[target != IGNORE].long(), minlength=classes).float()
    return 1 / torch.log(1.02 + counts / counts.sum().clamp(min=1))


def balanced_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Cross entropy with the batch's own class weights, as their weighted mean.

    Args:
        logits: (B, K, H, W).
        target: (B, H, W) class indices, 255 = ignore.
    """
    return _cross_entropy(logits, target, class_weights(target, logits.shape[1]))


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross entropy over the pixels that are not ignored; arguments as above."""
    return _cross_entropy(logits, target, None)


def _cross_entropy(logits: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    if not (target != IGNORE).any():
        return logits.sum() * 0.0
    return functional.cross_entropy(
        logits.float(), target.long(), weight=weight, ignore_index=IGNORE
    )
