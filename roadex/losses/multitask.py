"""The joint loss: a term for every map of every task, at the image's resolution and below it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from roadex.config.labels import ATTRIBUTE
from roadex.config.loss import LossConfig
from roadex.losses.targets import reduced_classes, reduced_mask
from roadex.losses.terms import (
    NAMES,
    balanced_cross_entropy,
    class_counts,
    cross_entropy,
    library_terms,
    node_cross_entropy,
    soft_cldice_loss,
    soft_iou_loss,
)
from roadex.models.contract import ATTRIBUTES, EVIDENCE, Logits, attribute_logits

Labels = Mapping[str, Tensor]
SCALES = {1: "full", 2: "half", 4: "quarter"}


@dataclass(frozen=True)
class WholeBatch:
    """What the loss of a micro-batch must know of the batch.

    Attributes:
        samples: images, a 0-dimensional int64 tensor.
        counts: pixels by class (K,) int64 of each target, keyed `task/full`, `task/half` and
            `task/quarter` where the model has maps of that scale.
    """

    samples: Tensor
    counts: dict[str, Tensor]


def multitask_loss(
    logits: Logits,
    mask: Tensor,
    connectivity: Tensor,
    config: LossConfig,
    whole: WholeBatch | None = None,
    orientation: Tensor | None = None,
    attributes: Labels | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """L = L_seg + L_conn (Xu et al. 2023) and its parts: `task/stackN`, `task/half`, `task/full`.

    If they have a weight, `segmentation/cldice`, `/nodes`, `/dice`, `/focal`, `/tversky` and
    `/lovasz` are parts, too.

    Args:
        logits: for each task the maps of the stacks (B, K, ceil(H/4), ceil(W/4)), perhaps one at
            half scale, then the full one (B, K, H, W), as the model gives them.
        mask: (B, H, W) uint8, 1 road, 0 not, 255 ignore.
        connectivity: (B, H, W) uint8 class indices, 255 ignore.
        whole: the batch that these samples are a part of, None where they are all of it. The
            losses of a batch's micro-batches add up to the loss of the batch.
        orientation: (B, H, W) uint8 class indices, 255 ignore, where the model learns them.
        attributes: likewise of each attribute of roads that it learns, by names such as
            attribute_class.
    """
    targets = _targets(logits, mask, connectivity, orientation, attributes)
    whole = whole or _count(logits, targets, mask)
    terms: dict[str, Tensor] = {}
    for task, maps in _tasks(logits, attributes or {}).items():
        for name, scores in zip(_names(maps), maps, strict=True):
            scale = f"{task}/{_scale(scores, maps[-1])}"
            terms[f"{task}/{name}"] = _term(task, scores, targets[scale], config, whole, scale)
    full = logits["segmentation"][-1]
    share = len(mask) / whole.samples
    if config.cldice:
        terms["segmentation/cldice"] = share * soft_cldice_loss(full, mask, config.cldice_openings)
    for name, value in library_terms(full, mask, config).items():
        terms[f"segmentation/{name}"] = share * value
    if config.nodes:
        pixels = whole.counts["segmentation/full"].sum()
        terms["segmentation/nodes"] = node_cross_entropy(full, mask, connectivity, pixels)
    total = sum(_weight(name, config) * value for name, value in terms.items())
    assert isinstance(total, Tensor)
    return total, terms


def count_batch(
    logits: Logits,
    mask: Tensor,
    connectivity: Tensor,
    orientation: Tensor | None = None,
    attributes: Labels | None = None,
) -> WholeBatch:
    """The counts of a batch of targets, of which `logits` may cover a micro-batch only."""
    targets = _targets(logits, mask, connectivity, orientation, attributes)
    return _count(logits, targets, mask)


def attribute_labels(batch: Labels) -> dict[str, Tensor]:
    """The labels of attributes of roads in a batch, by their names."""
    return {name: labels for name, labels in batch.items() if name.startswith(ATTRIBUTE)}


def _tasks(logits: Logits, attributes: Collection[str]) -> Logits:
    """The maps that have labels of their own, each learnt attribute by itself.

    The evidence for pairs has none: the loss of the pairs trains it.
    """
    tasks = {task: maps for task, maps in logits.items() if task not in (EVIDENCE, ATTRIBUTES)}
    parts = [attribute_logits(maps) for maps in logits.get(ATTRIBUTES, [])]
    for name in attributes:
        tasks[name] = [part[name.removeprefix(ATTRIBUTE)] for part in parts]
    return tasks


def _names(maps: list[Tensor]) -> list[str]:
    """The names of a task's maps in the loss terms."""
    scales = [_scale(scores, maps[-1]) for scores in maps]
    return [f"stack{i + 1}" if scale == "quarter" else scale for i, scale in enumerate(scales)]


def _scale(scores: Tensor, full: Tensor) -> str:
    factor = next(f for f in SCALES if -(-full.shape[-1] // f) <= scores.shape[-1])
    return SCALES[factor]


def _targets(
    logits: Logits,
    mask: Tensor,
    connectivity: Tensor,
    orientation: Tensor | None,
    attributes: Labels | None,
) -> dict[str, Tensor]:
    """The target of each task at each scale that the task has maps of."""
    labels = {"segmentation": mask, "connectivity": connectivity, "orientation": orientation}
    labels |= attributes or {}
    targets: dict[str, Tensor] = {}
    for task, maps in _tasks(logits, attributes or {}).items():
        label = labels[task]
        assert label is not None, f"the crops have no labels of the {task}"
        scales = {_scale(scores, maps[-1]) for scores in maps}
        for factor, scale in SCALES.items():
            if scale in scales:
                targets[f"{task}/{scale}"] = _reduced(task, label, maps[-1].shape[1], factor)
    return targets


def _reduced(task: str, label: Tensor, classes: int, factor: int) -> Tensor:
    if factor == 1:
        return label
    if task == "segmentation":
        return reduced_mask(label, factor)
    return reduced_classes(label, classes, factor)


def _count(logits: Logits, targets: dict[str, Tensor], mask: Tensor) -> WholeBatch:
    names = {key.split("/")[0] for key in targets if key.startswith(ATTRIBUTE)}
    classes = {task: maps[-1].shape[1] for task, maps in _tasks(logits, names).items()}
    counts = {
        key: class_counts(target, classes[key.split("/")[0]]) for key, target in targets.items()
    }
    # Created on the device, since a copy would wait for it.
    samples = torch.full((), len(mask), dtype=torch.int64, device=mask.device)
    return WholeBatch(samples, counts)


def _term(
    task: str, logits: Tensor, target: Tensor, config: LossConfig, whole: WholeBatch, scale: str
) -> Tensor:
    if task == "connectivity" or task.startswith(ATTRIBUTE):
        return balanced_cross_entropy(logits, target, whole.counts[scale])
    if task == "orientation":
        return cross_entropy(logits, target, whole.counts[scale])
    share = len(logits) / whole.samples
    value = config.soft_iou * share * soft_iou_loss(logits, target)
    if config.cross_entropy:
        value = value + config.cross_entropy * cross_entropy(logits, target, whole.counts[scale])
    return value


def _weight(name: str, config: LossConfig) -> float:
    task, scale = name.split("/")
    by_task = {
        "segmentation": config.segmentation,
        "connectivity": config.connectivity,
        "orientation": config.orientation,
    }
    by_scale = {"full": config.full, "cldice": config.cldice, "nodes": config.nodes}
    by_scale |= {name: getattr(config, name) for name in NAMES}
    by_task |= {task: config.attributes} if task.startswith(ATTRIBUTE) else {}
    return by_task[task] * by_scale.get(scale, config.intermediate)
