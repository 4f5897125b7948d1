"""The loss terms of one output map."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from roadex.config.labels import IGNORE


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


def class_counts(target: Tensor, classes: int) -> Tensor:
    """Pixels of each class in (B, H, W), ignored ones left out: (classes,) int64.

    By comparisons, since `bincount` and boolean indices would wait for a GPU.
    """
    return torch.stack([target.eq(value).sum() for value in range(classes)])


def class_weights(counts: Tensor) -> Tensor:
    """1 / ln(1.02 + p_c), p_c the class's share of the pixels: (classes,) from counts (classes,).

    The weighting of ENet (Paszke et al. 2016), computed for each batch and scale.
    """
    return 1 / torch.log(1.02 + counts.float() / counts.sum().clamp(min=1))


def balanced_cross_entropy(logits: Tensor, target: Tensor, counts: Tensor | None = None) -> Tensor:
    """Cross entropy with the batch's own class weights, as their weighted mean.

    Args:
        logits: (B, K, H, W).
        target: (B, H, W) class indices, 255 = ignore.
        counts: (K,) pixels by class of the batch that these samples are a part of; None where
            they are all of it. The losses of a batch's micro-batches add up to that of the batch.
    """
    if counts is None:
        counts = class_counts(target, logits.shape[1])
    weights = class_weights(counts)
    return _mean_cross_entropy(logits, target, weights, (weights * counts).sum())


def cross_entropy(logits: Tensor, target: Tensor, counts: Tensor | None = None) -> Tensor:
    """Mean cross entropy over the pixels that are not ignored; arguments as above."""
    if counts is None:
        counts = class_counts(target, logits.shape[1])
    return _mean_cross_entropy(logits, target, None, counts.sum())


def _mean_cross_entropy(
    logits: Tensor, target: Tensor, weights: Tensor | None, total: Tensor
) -> Tensor:
    """The summed cross entropy over `total`; 0 where every pixel is ignored."""
    summed = functional.cross_entropy(
        logits.float(), target.long(), weights, ignore_index=IGNORE, reduction="sum"
    )
    return summed / total.clamp(min=1)
