"""Loss terms of the road that see its topology: where lines run, and where they meet."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from roadex.config.labels import IGNORE

NODE_FREE = (0, 2)  # connectivity classes without a node: background, along a road


def soft_cldice_loss(logits: Tensor, target: Tensor, iterations: int) -> Tensor:
    """1 - soft clDice (Shit et al. 2021), the mean over samples, at half of the resolution.

    Soft skeletons come from `iterations` openings, which thin roads of up to four times as many
    pixels. A road that is interrupted loses its skeleton there, however few pixels that costs.

    Args:
        logits: (B, 2, H, W).
        target: (B, H, W), 1 road, 0 not, 255 ignored.
    """
    valid = (target != IGNORE).unsqueeze(1)
    found = functional.avg_pool2d(logits.float().softmax(dim=1)[:, 1:] * valid, 2, ceil_mode=True)
    truth = functional.avg_pool2d((target.eq(1).unsqueeze(1) * valid).float(), 2, ceil_mode=True)
    precision = _share(soft_skeleton(found, iterations), truth)
    recall = _share(soft_skeleton(truth, iterations), found)
    return 1 - (2 * precision * recall / (precision + recall)).mean()


def soft_skeleton(image: Tensor, iterations: int) -> Tensor:
    """What openings remove from ever thinner versions of (B, 1, H, W), all of it together."""
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
    """The least of each pixel's cross."""
    upright = -functional.max_pool2d(-image, (3, 1), 1, (1, 0))
    level = -functional.max_pool2d(-image, (1, 3), 1, (0, 1))
    return torch.minimum(upright, level)


def _open(image: Tensor) -> Tensor:
    return functional.max_pool2d(_erode(image), 3, 1, 1)
