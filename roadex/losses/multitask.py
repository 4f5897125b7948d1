"""The joint loss: every task's full-resolution term and quarter-scale term of every stack."""

from __future__ import annotations

from torch import Tensor

from roadex.config.training import LossConfig
from roadex.losses.targets import quarter_classes, quarter_mask
from roadex.losses.terms import balanced_cross_entropy, cross_entropy, soft_iou_loss


def multitask_loss(
    logits: dict[str, list[Tensor]], mask: Tensor, connectivity: Tensor, config: LossConfig
) -> tuple[Tensor, dict[str, Tensor]]:
    """L = L_seg + L_conn (Xu et al. 2023) and its parts, keyed `task/full` and `task/stackN`.

    Args:
        logits: for each task the maps of the stacks (B, K, ceil(H/4), ceil(W/4)), then the full
            one (B, K, H, W), as the network gives them.
        mask: (B, H, W) uint8, 1 road, 0 not, 255 ignore.
        connectivity: (B, H, W) uint8 class indices, 255 ignore.
    """
    terms: dict[str, Tensor] = {}
    for task, maps in logits.items():
        full = mask if task == "segmentation" else connectivity
        quarter = quarter_mask(mask)
        if task != "segmentation":
            quarter = quarter_classes(connectivity, maps[-1].shape[1])
        for index, scores in enumerate(maps[:-1]):
            terms[f"{task}/stack{index + 1}"] = _term(task, scores, quarter, config)
        terms[f"{task}/full"] = _term(task, maps[-1], full, config)
    total = sum(_weight(name, config) * value for name, value in terms.items())
    assert isinstance(total, Tensor)
    return total, terms


def _term(task: str, logits: Tensor, target: Tensor, config: LossConfig) -> Tensor:
    if task == "connectivity":
        return balanced_cross_entropy(logits, target)
    value = config.soft_iou * soft_iou_loss(logits, target)
    if config.cross_entropy:
        value = value + config.cross_entropy * cross_entropy(logits, target)
    return value


def _weight(name: str, config: LossConfig) -> float:
    task, scale = name.split("/")
    by_task = {"segmentation": config.segmentation, "connectivity": config.connectivity}
    return by_task[task] * (config.full if scale == "full" else config.intermediate)
