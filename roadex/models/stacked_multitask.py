"""The stacked multitask model of Xu et al. 2023 (arXiv 2312.04744)."""

from __future__ import annotations

import math
from functools import partial
from typing import cast

from torch import Tensor, nn

from roadex.config.backbone import BackboneConfig
from roadex.config.model import StackedMultitaskConfig
from roadex.models.backbones import build_backbone
from roadex.models.blocks import ResidualBlock, initialize
from roadex.models.contract import EVIDENCE, Logits, pad_to_multiple, task_classes
from roadex.models.heads import (
    FullResolutionClassifier,
    IntermediateHead,
    Remap,
    evidence_head,
)
from roadex.models.hourglass import Hourglass, group


class Stack(nn.Module):
    """One hourglass with its group, its 1x1 convolution and a quarter-scale head per task."""

    def __init__(self, config: StackedMultitaskConfig, block: partial[ResidualBlock]) -> None:
        super().__init__()
        width = config.width
        same = partial(block, width, width)
        self.features = nn.Sequential(
            Hourglass(same, config.depth, config.blocks),
            group(same, config.blocks),
            nn.Conv2d(width, width, 1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.heads = nn.ModuleDict(
            {
                task: IntermediateHead(width, config.head_width, classes)
                for task, classes in task_classes(config).items()
            }
        )

    def forward(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Trunk (B, width, H/4, W/4) to features of the same shape and logits per task."""
        y = self.features(x)
        return y, {task: head(y) for task, head in self.heads.items()}


class StackedMultitask(nn.Module):
    """Backbone, `stacks` hourglasses that refine the trunk, and a full-resolution classifier each.

    Between two stacks each task adds its features and raw logits to the trunk; that sum and the
    shared trunk are the whole exchange between the tasks.
    """

    def __init__(self, config: StackedMultitaskConfig, backbone: BackboneConfig) -> None:
        super().__init__()
        block = partial(ResidualBlock, gates=config.global_aware, squeeze=config.squeeze)
        tasks = task_classes(config)
        width = config.width
        self.stacks = nn.ModuleList(Stack(config, block) for _ in range(config.stacks))
        self.remaps = nn.ModuleList(
            nn.ModuleDict({task: Remap(width, classes) for task, classes in tasks.items()})
            for _ in range(config.stacks - 1)
        )
        self.classifiers = nn.ModuleDict(
            {
                task: FullResolutionClassifier(width, config.head_width, classes)
                for task, classes in tasks.items()
            }
        )
        self.evidence = evidence_head(config, width)
        initialize(self)
        self.backbone = build_backbone(backbone, width, block)
        if backbone.kind != "timm":
            initialize(self.backbone)
        self.multiple = math.lcm(4 * 2**config.depth, cast(int, self.backbone.multiple))

    def forward(self, image: Tensor) -> Logits:
        """Normalised image (B, bands, H, W) of any size to the logits of each task.

        Each task's list holds one map (B, K, ceil(H/4), ceil(W/4)) for every stack, then the
        full-resolution one (B, K, H, W).
        """
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image, self.multiple)
        trunk = self.backbone(padded)
        logits: Logits = {task: [] for task in self.classifiers}
        for index, stack in enumerate(self.stacks):
            features, scores = stack(trunk)
            for task, score in scores.items():
                logits[task].append(score[..., : -(-height // 4), : -(-width // 4)])
            if index < len(self.remaps):
                remap = cast(nn.ModuleDict, self.remaps[index])
                trunk = trunk + sum(remap[task](features, scores[task]) for task in scores)
        for task, classifier in self.classifiers.items():
            logits[task].append(classifier(features)[..., :height, :width])
        if self.evidence is not None:
            logits[EVIDENCE] = [self.evidence(features, padded)[..., :height, :width]]
        return logits
