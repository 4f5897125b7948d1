"""The loss terms of one output map: per pixel, of a library, and those that see topology."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from roadex.config.labels import IGNORE
from roadex.config.loss import LossConfig


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
    labels = functional.one_hot(indices, logits.shape[1]).movedim(-1, 1) * valid
    product = probability * labels
    union = (probability + labels - product).sum(dim=(2, 3))
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


NODE_FREE = (0, 2)  # connectivity classes without a node: background, along a road


def soft_cldice_loss(logits: Tensor, target: Tensor, iterations: int) -> Tensor:
    """1 - soft clDice (Shit et al. 2021), the mean over samples, at half of the resolution.

    Soft skeletons come from `iterations` openings, which thin roads of up to four times as many
    pixels. An interrupted road loses its skeleton there, even if it lacks only a few pixels.

    Args:
        logits: (B, 2, H, W).
        target: (B, H, W), 1 road, 0 not, 255 ignored.
    """
    valid = (target != IGNORE).unsqueeze(1)
    found = functional.avg_pool2d(logits.float().softmax(dim=1)[:, 1:] * valid, 2, ceil_mode=True)
    labels = functional.avg_pool2d((target.eq(1).unsqueeze(1) * valid).float(), 2, ceil_mode=True)
    precision = _share(soft_skeleton(found, iterations), labels)
    recall = _share(soft_skeleton(labels, iterations), found)
    return 1 - (2 * precision * recall / (precision + recall)).mean()


def soft_skeleton(image: Tensor, iterations: int) -> Tensor:
    """The union of what openings remove from thinner and thinner versions of (B, 1, H, W)."""
    skeleton = functional.relu(image - _open(image))
    for _ in range(iterations):
        image = _erode(image)
        ridge = functional.relu(image - _open(image))
        skeleton = skeleton + functional.relu(ridge - skeleton * ridge)
    return skeleton


def node_cross_entropy(
    logits: Tensor, target: Tensor, connectivity: Tensor, total: Tensor
) -> Tensor:
    """Cross entropy of the road summed over pixels at dead ends and junctions, over `total`.

    With weight w beside the mean cross entropy over `total` pixels these count 1 + w times.
    """
    away = (
        (connectivity == NODE_FREE[0]) | (connectivity == NODE_FREE[1]) | (connectivity == IGNORE)
    )
    labels = target.long().masked_fill(away, IGNORE)
    summed = functional.cross_entropy(logits.float(), labels, ignore_index=IGNORE, reduction="sum")
    return summed / total.clamp(min=1)


def _share(skeleton: Tensor, mask: Tensor) -> Tensor:
    """The share (B, 1) of a skeleton that lies in a mask; 1 of an empty one in an empty one."""
    inside = (skeleton * mask).sum(dim=(2, 3))
    return (inside + 1) / (skeleton.sum(dim=(2, 3)) + 1)


def _erode(image: Tensor) -> Tensor:
    """The minimum over the cross of each pixel and its four neighbours."""
    upright = -functional.max_pool2d(-image, (3, 1), 1, (1, 0))
    level = -functional.max_pool2d(-image, (1, 3), 1, (0, 1))
    return torch.minimum(upright, level)


def _open(image: Tensor) -> Tensor:
    return functional.max_pool2d(_erode(image), 3, 1, 1)


Loss = Callable[[Tensor, Tensor], Tensor]
NAMES = ("dice", "focal", "tversky", "lovasz")


def library_terms(logits: Tensor, mask: Tensor, config: LossConfig) -> dict[str, Tensor]:
    """The terms that have a weight, by their names.

    Each is computed over the micro-batch that it is given.

    Args:
        logits: (B, 2, H, W).
        mask: (B, H, W) uint8, 1 road, 0 not, 255 ignore.
    """
    wanted = [name for name in NAMES if getattr(config, name)]
    target = mask.long()
    settings = (config.focal_gamma, config.tversky_alpha)
    return {name: _loss(name, *settings)(logits.float(), target) for name in wanted}


@lru_cache
def _loss(name: str, gamma: float, alpha: float) -> Loss:
    from segmentation_models_pytorch import losses  # takes seconds

    made: dict[str, Callable[[], Loss]] = {
        "dice": lambda: losses.DiceLoss("multiclass", ignore_index=IGNORE),
        "focal": lambda: losses.FocalLoss("multiclass", gamma=gamma, ignore_index=IGNORE),
        "tversky": lambda: losses.TverskyLoss(
            "multiclass", ignore_index=IGNORE, alpha=alpha, beta=1 - alpha
        ),
        "lovasz": lambda: losses.LovaszLoss("multiclass", ignore_index=IGNORE),
    }
    return made[name]()
