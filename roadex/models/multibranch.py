"""Stacked hourglasses with a decoder branch for each task: a relative of the published model.

With plain blocks, skips through blocks, an output at half scale and orientation as the second task
this is the predecessor, Batra et al., CVPR 2019 (`model=stacked_orientation`).
"""

from __future__ import annotations

import math
from functools import partial
from typing import cast

from torch import Tensor, nn

from roadex.config.backbone import BackboneConfig
from roadex.config.model import MultibranchConfig
from roadex.models.backbones import build_backbone
from roadex.models.blocks import ResidualBlock, initialize
from roadex.models.contract import EVIDENCE, Logits, pad_to_multiple, task_classes
from roadex.models.heads import (
    FullResolutionClassifier,
    IntermediateHead,
    Remap,
    evidence_head,
)
from roadex.models.hourglass import BlockFactory, BranchedHourglass, group


def branch_features(block: BlockFactory, width: int, blocks: int) -> nn.Sequential:
    """The end of each branch, after the hourglass: a group and a 1x1 convolution."""
    return nn.Sequential(
        group(block, blocks),
        nn.Conv2d(width, width, 1),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


class BranchedStack(nn.Module):
    """One branched hourglass with features and a quarter-scale head for each task."""

    def __init__(self, config: MultibranchConfig, block: BlockFactory) -> None:
        super().__init__()
        width, blocks = config.width, config.blocks
        tasks = task_classes(config)
        self.hourglass = BranchedHourglass(
            block, config.depth, blocks, tasks, skip_groups=config.skip_groups
        )
        self.features = nn.ModuleDict(
            {task: branch_features(block, width, blocks) for task in tasks}
        )
        self.heads = nn.ModuleDict(
            {task: IntermediateHead(width, config.head_width, k) for task, k in tasks.items()}
        )

    def forward(self, x: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Trunk (B, width, H/4, W/4) to features of the same shape and logits, for each task."""
        ways = self.hourglass(x)
        features = {task: layers(ways[task]) for task, layers in self.features.items()}
        return features, {task: head(features[task]) for task, head in self.heads.items()}


class BranchClassifier(nn.Module):
    """Logits of one task at full resolution and, if `half_scale`, at half of it before."""

    def __init__(self, config: MultibranchConfig, classes: int) -> None:
        super().__init__()
        self.layers = FullResolutionClassifier(config.width, config.head_width, classes)
        self.at_half = nn.Conv2d(config.head_width, classes, 1) if config.half_scale else None

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, width, H/4, W/4) to maps (B, K, ...), the full one last."""
        *before, last = self.layers
        for layer in before:
            x = layer(x)
        return [last(x)] if self.at_half is None else [self.at_half(x), last(x)]


class Multibranch(nn.Module):
    """Backbone, `stacks` branched hourglasses that refine the trunk, and a classifier each."""

    def __init__(self, config: MultibranchConfig, backbone: BackboneConfig) -> None:
        super().__init__()
        block = partial(ResidualBlock, gates=config.global_aware, squeeze=config.squeeze)
        tasks = task_classes(config)
        width = config.width
        same = partial(block, width, width)
        self.stacks = nn.ModuleList(BranchedStack(config, same) for _ in range(config.stacks))
        self.remaps = nn.ModuleList(
            nn.ModuleDict({task: Remap(width, classes) for task, classes in tasks.items()})
            for _ in range(config.stacks - 1)
        )
        self.classifiers = nn.ModuleDict(
            {task: BranchClassifier(config, classes) for task, classes in tasks.items()}
        )
        self.evidence = evidence_head(config, width)
        initialize(self)
        self.backbone = build_backbone(backbone, width, block)
        if backbone.kind != "timm":
            initialize(self.backbone)
        self.multiple = math.lcm(4 * 2**config.depth, cast(int, self.backbone.multiple))

    def forward(self, image: Tensor) -> Logits:
        """As in roadex/models/contract.py: a map for every stack, one at half scale, the full."""
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
                trunk = trunk + sum(remap[task](features[task], scores[task]) for task in scores)
        for task, classifier in self.classifiers.items():
            *half, full = classifier(features[task])
            logits[task] += [score[..., : -(-height // 2), : -(-width // 2)] for score in half]
            logits[task].append(full[..., :height, :width])
        if self.evidence is not None:
            evidence = self.evidence(features["segmentation"], padded)
            logits[EVIDENCE] = [evidence[..., :height, :width]]
        return logits
