"""Losses of segmentation-models-pytorch on the road at full resolution."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from torch import Tensor

from roadex.config.labels import IGNORE
from roadex.config.loss import LossConfig

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
