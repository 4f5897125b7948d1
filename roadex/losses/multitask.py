"""The joint loss: every task's full-resolution term and quarter-scale term of every stack."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from roadex.config.training import LossConfig
from roadex.losses.targets import quarter_classes, quarter_mask
from roadex.losses.terms import (
    balanced_cross_entropy,
    class_counts,
    cross_entropy,
    soft_iou_loss,
)

Logits = dict[str, list[Tensor]]


@dataclass(frozen=True)
class WholeBatch:
    """What the loss of a piece of a batch must know of the batch.

    Attributes:
        samples: images, a 0-dimensional int64 tensor.
        counts: pixels by class (K,) int64 of each target, keyed `task/full` and `task/quarter`.
    """

    samples: Tensor
    counts: dict[str, Tensor]


def multitask_loss(
    logits: Logits,
    mask: Tensor,
    connectivity: Tensor,
    config: LossConfig,
    whole: WholeBatch | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """L = L_seg + L_conn (Xu et al. 2023) and its parts, keyed `task/full` and `task/stackN`.

    Args:
        logits: for each task the maps of the stacks (B, K, ceil(H/4), ceil(W/4)), then the full
            one (B, K, H, W), as the network gives them.
        mask: (B, H, W) uint8, 1 road, 0 not, 255 ignore.
        connectivity: (B, H, W) uint8 class indices, 255 ignore.
        whole: the batch that these samples are a piece of, None where they are all of it. The
            losses of a batch's pieces add up to the loss of the batch.
    """
    targets = _targets(logits, mask, connectivity)
    whole = whole or _count(logits, targets, mask)
    terms: dict[str, Tensor] = {}
    for task, maps in logits.items():
        names = [*(f"stack{index + 1}" for index in range(len(maps) - 1)), "full"]
        for name, scores in zip(names, maps, strict=True):
            scale = f"{task}/{'full' if name == 'full' else 'quarter'}"
            terms[f"{task}/{name}"] = _term(task, scores, targets[scale], config, whole, scale)
    total = sum(_weight(name, config) * value for name, value in terms.items())
    assert isinstance(total, Tensor)
    return total, terms


def count_batch(logits: Logits, mask: Tensor, connectivity: Tensor) -> WholeBatch:
    """The counts of a batch of targets, of which `logits` may answer a piece only."""
    return _count(logits, _targets(logits, mask, connectivity), mask)


def _targets(logits: Logits, mask: Tensor, connectivity: Tensor) -> dict[str, Tensor]:
    """The target of each task at each scale."""
    targets: dict[str, Tensor] = {}
    for task, maps in logits.items():
        road = task == "segmentation"
        targets[f"{task}/full"] = mask if road else connectivity
        quarter = quarter_mask(mask) if road else quarter_classes(connectivity, maps[-1].shape[1])
        targets[f"{task}/quarter"] = quarter
    return targets


def _count(logits: Logits, targets: dict[str, Tensor], mask: Tensor) -> WholeBatch:
    classes = {task: maps[-1].shape[1] for task, maps in logits.items()}
    counts = {
        key: class_counts(target, classes[key.split("/")[0]]) for key, target in targets.items()
    }
    # Filled on the device: a copy from here would wait for it.
    samples = torch.full((), len(mask), dtype=torch.int64, device=mask.device)
    return WholeBatch(samples, counts)


def _term(
    task: str, logits: Tensor, target: Tensor, config: LossConfig, whole: WholeBatch, scale: str
) -> Tensor:
    if task == "connectivity":
        return balanced_cross_entropy(logits, target, whole.counts[scale])
    share = len(logits) / whole.samples
    value = config.soft_iou * share * soft_iou_loss(logits, target)
    if config.cross_entropy:
        value = value + config.cross_entropy * cross_entropy(logits, target, whole.counts[scale])
    return value


def _weight(name: str, config: LossConfig) -> float:
    task, scale = name.split("/")
    by_task = {"segmentation": config.segmentation, "connectivity": config.connectivity}
    return by_task[task] * (config.full if scale == "full" else config.intermediate)
