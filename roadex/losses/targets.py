"""Targets at a quarter of the resolution, cut from the very crop that the network sees.

Each quarter pixel looks at its own 4x4 block of the crop, so the targets align with the outputs
whatever the crop's offset, and commute with flips and quarter turns.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from roadex.losses.terms import IGNORE


def quarter_mask(mask: Tensor) -> Tensor:
    """Bilinear resize to a quarter, then threshold: (B, H, W) to (B, ceil(H/4), ceil(W/4)).

    The bilinear sample at the centre of a 4x4 block is the mean of its inner 2x2 pixels, and half
    of them make a road pixel. A block whose inner pixels are partly ignored, or lie outside the
    crop, is ignored.
    """
    padded = _pad(mask)
    inner = padded.unfold(1, 4, 4).unfold(2, 4, 4)[..., 1:3, 1:3].flatten(3)
    road = inner.eq(1).sum(dim=-1) >= 2
    ignored = inner.eq(IGNORE).any(dim=-1)
    return road.to(mask.dtype).masked_fill(ignored, IGNORE)


def quarter_classes(labels: Tensor, classes: int) -> Tensor:
    """The commonest class in each 4x4 block, the higher (rarer) one on ties.

    (B, H, W) to (B, ceil(H/4), ceil(W/4)); a block that is mostly ignored is ignored.
    """
    padded = _pad(labels)
    blocks = padded.unfold(1, 4, 4).unfold(2, 4, 4).flatten(3)
    candidates = torch.arange(classes, device=labels.device, dtype=labels.dtype)
    votes = torch.stack([blocks.eq(value).sum(dim=-1) for value in candidates], dim=-1)
    # 16 pixels vote, so a bonus below 1 / classes per class only decides ties.
    bonus = torch.arange(classes, device=labels.device) / (classes + 1)
    winner = (votes + bonus).argmax(dim=-1).to(labels.dtype)
    return winner.masked_fill(blocks.eq(IGNORE).sum(dim=-1) > 8, IGNORE)


def _pad(labels: Tensor) -> Tensor:
    bottom, right = (-labels.shape[-2]) % 4, (-labels.shape[-1]) % 4
    return functional.pad(labels, (0, right, 0, bottom), value=IGNORE)
