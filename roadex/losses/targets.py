"""Targets at a half or a quarter of the resolution, made from the crop that the model sees.

Each low-resolution pixel looks at its own block of the crop, so the targets align with the outputs
whatever the crop's offset, and commute with flips and quarter turns.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from roadex.config.labels import IGNORE


def reduced_mask(mask: Tensor, factor: int = 4) -> Tensor:
    """Bilinear resize by 1 / factor, then threshold: (B, H, W) to (B, ceil(H/f), ceil(W/f)).

    The bilinear sample at the centre of a block is the mean of its inner 2x2 pixels, and half
    of them make a road pixel. A block whose inner pixels are partly ignored, or lie outside the
    crop, is ignored.
    """
    middle = slice(factor // 2 - 1, factor // 2 + 1)
    inner = _blocks(mask, factor)[..., middle, middle].flatten(3)
    road = inner.eq(1).sum(dim=-1) >= 2
    ignored = inner.eq(IGNORE).any(dim=-1)
    return road.to(mask.dtype).masked_fill(ignored, IGNORE)


def reduced_classes(labels: Tensor, classes: int, factor: int = 4) -> Tensor:
    """The most frequent class in each block of side `factor`, the higher (rarer) one on ties.

    (B, H, W) to (B, ceil(H/f), ceil(W/f)); a block that is mostly ignored is ignored.
    """
    blocks = _blocks(labels, factor).flatten(3)
    candidates = torch.arange(classes, device=labels.device, dtype=labels.dtype)
    votes = torch.stack([blocks.eq(value).sum(dim=-1) for value in candidates], dim=-1)
    # Votes are whole numbers, so a bonus below 1 / classes per class only decides ties.
    bonus = torch.arange(classes, device=labels.device) / (classes + 1)
    winner = (votes + bonus).argmax(dim=-1).to(labels.dtype)
    return winner.masked_fill(blocks.eq(IGNORE).sum(dim=-1) > factor**2 // 2, IGNORE)


def _blocks(labels: Tensor, factor: int) -> Tensor:
    """(B, H, W) to (B, ceil(H/f), ceil(W/f), f, f); what lies outside is ignored."""
    bottom, right = (-labels.shape[-2]) % factor, (-labels.shape[-1]) % factor
    padded = functional.pad(labels, (0, right, 0, bottom), value=IGNORE)
    return padded.unfold(1, factor, factor).unfold(2, factor, factor)
