"""A model derived from the stacked multitask model that computes where it pays.

The idea is the same: two tasks on one trunk, hourglasses that refine it one after another and feed
their logits back to it, gates that see the whole image. Different are the hourglasses, which are
wider at coarser levels, the spatial gate, which is learnt, and the heads: one linear layer for all
intermediate logits, and for the last ones channels that are rearranged into pixels, with fine
detail from the image itself.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from roadex.config.backbone import BackboneConfig
from roadex.config.model import GlobalAware, RoadexConfig
from roadex.models.backbones import build_backbone
from roadex.models.blocks import ResidualBlock, initialize
from roadex.models.contract import EVIDENCE, Logits, pad_to_multiple, task_classes
from roadex.models.heads import evidence_head

if TYPE_CHECKING:
    from roadex.models.backbones.pyramid import TimmBackbone

SMALL = 0.01  # standard deviation of the initial weights of layers that give logits


class LearnedSpatialGate(nn.Module):
    """x times 2 sigmoid(conv7x7 of the mean and the largest of its channels).

    The convolution starts at zero, so that the gate starts at 1 everywhere. After the spatial
    attention of Woo et al. 2018.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        seen = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        result: Tensor = x * (2 * self.conv(seen).sigmoid())
        return result


class WideningHourglass(nn.Module):
    """Level n: down = blocks(maxpool(x)), inner hourglass, out = x + bilinear(block(.)).

    Args:
        widths: channels of this level and of all coarser ones.
        blocks: residual blocks on the way down at each level.
    """

    def __init__(self, block: partial[ResidualBlock], widths: list[int], blocks: int) -> None:
        super().__init__()
        here, below, *coarser = widths
        self.down = nn.Sequential(
            block(here, below), *(block(below, below) for _ in range(blocks - 1))
        )
        self.inner: nn.Module = nn.Identity()
        if coarser:
            self.inner = WideningHourglass(block, [below, *coarser], blocks)
        self.up = block(below, here)

    def forward(self, x: Tensor) -> Tensor:
        """(B, widths[0], H, W) to the same shape; sides multiples of 2 ** levels below."""
        below = self.up(self.inner(self.down(functional.max_pool2d(x, 2))))
        return x + functional.interpolate(
            below, scale_factor=2.0, mode="bilinear", align_corners=False
        )


class RefiningStack(nn.Module):
    """An hourglass, a block at the trunk's resolution, the gate, and the logits of all tasks.

    The features are normalised before the linear head sees them.
    """

    def __init__(self, config: RoadexConfig, widths: list[int], classes: int) -> None:
        super().__init__()
        gated = partial(ResidualBlock, gates=GlobalAware.channel, squeeze=config.squeeze)
        plain = partial(ResidualBlock, gates=GlobalAware.none, squeeze=config.squeeze)
        self.features = nn.Sequential(
            WideningHourglass(gated, widths, config.blocks),
            plain(config.width, config.width),
            nn.Conv2d(config.width, config.width, 1, bias=False),
            nn.BatchNorm2d(config.width),
            nn.ReLU(inplace=True),
            LearnedSpatialGate() if config.spatial_gate else nn.Identity(),
        )
        self.head = nn.Conv2d(config.width, classes, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Trunk (B, width, H/4, W/4) to features of the same shape and logits."""
        y = self.features(x)
        return y, self.head(y)


class DetailDecoder(nn.Module):
    """Full-resolution logits of all tasks from features at a quarter and the image itself."""

    def __init__(self, bands: int, width: int, detail: int, classes: int) -> None:
        super().__init__()
        self.detail = nn.Sequential(
            nn.Conv2d(bands, detail, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(detail)
        )
        self.encoded: nn.Module | None = None
        self.features = nn.Sequential(nn.Conv2d(width, 4 * detail, 1), nn.PixelShuffle(2))
        self.fuse = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.Conv2d(detail, detail, 3, padding=1, bias=False),
            nn.BatchNorm2d(detail),
            nn.ReLU(inplace=True),
        )
        self.logits = nn.Conv2d(detail, 4 * classes, 3, padding=1)

    def add_encoded(self, channels: int) -> None:
        """See an encoder's map of `channels` channels at half of the resolution, too."""
        detail = self.logits.in_channels
        self.encoded = nn.Sequential(
            nn.Conv2d(channels, detail, 1, bias=False), nn.BatchNorm2d(detail)
        )

    def forward(self, y: Tensor, image: Tensor, encoded: Tensor | None = None) -> Tensor:
        """(B, width, H/4, W/4), (B, bands, H, W) and an encoder's map to (B, classes, H, W)."""
        fine = self.features(y) + self.detail(image)
        if self.encoded is not None and encoded is not None:
            fine = fine + self.encoded(encoded)
        fused = self.fuse(fine)
        return functional.pixel_shuffle(self.logits(fused), 2)


class Roadex(nn.Module):
    """Backbone, `stacks` refining hourglasses, and a decoder with detail for all tasks at once."""

    def __init__(self, config: RoadexConfig, backbone: BackboneConfig) -> None:
        super().__init__()
        self.classes = task_classes(config)
        total = sum(self.classes.values())
        width = config.width
        widths = [8 * round(width * config.growth**level / 8) for level in range(config.depth + 1)]
        widths[0] = width
        self.stacks = nn.ModuleList(
            RefiningStack(config, widths, total) for _ in range(config.stacks)
        )
        self.remaps = nn.ModuleList(
            nn.Conv2d(width + total, width, 1) for _ in range(config.stacks - 1)
        )
        self.decoder = DetailDecoder(backbone.bands, width, config.detail, total)
        self.evidence = evidence_head(config, width)
        initialize(self)
        self._start_small()
        block = partial(ResidualBlock, gates=GlobalAware.channel, squeeze=config.squeeze)
        self.backbone = build_backbone(backbone, width, block)
        if backbone.kind != "timm":
            initialize(self.backbone)
        self._encoded = int(getattr(self.backbone, "detail_channels", 0))
        if self._encoded:
            self.decoder.add_encoded(self._encoded)
        self.multiple = math.lcm(4 * 2**config.depth, cast(int, self.backbone.multiple))

    def _start_small(self) -> None:
        """Gates at 1 and logits near 0, which would otherwise be large for few classes."""
        for stack in cast(list[RefiningStack], list(self.stacks)):
            nn.init.normal_(stack.head.weight, 0.0, SMALL)
        nn.init.normal_(self.decoder.logits.weight, 0.0, SMALL)
        for module in self.modules():
            if isinstance(module, LearnedSpatialGate):
                nn.init.zeros_(module.conv.weight)

    def forward(self, image: Tensor) -> Logits:
        """As in roadex/models/contract.py: a map at a quarter for every stack, then the full."""
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image, self.multiple)
        trunk, encoded = self._trunk(padded)
        maps: list[Tensor] = []
        for index, stack in enumerate(self.stacks):
            features, scores = stack(trunk)
            maps.append(scores[..., : -(-height // 4), : -(-width // 4)])
            if index < len(self.remaps):
                trunk = trunk + self.remaps[index](torch.cat([features, scores], dim=1))
        maps.append(self.decoder(features, padded, encoded)[..., :height, :width])
        parts = [scores.split(list(self.classes.values()), dim=1) for scores in maps]
        logits = {task: [part[i] for part in parts] for i, task in enumerate(self.classes)}
        if self.evidence is not None:
            logits[EVIDENCE] = [self.evidence(features, padded)[..., :height, :width]]
        return logits

    def _trunk(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        if self._encoded:
            return cast("TimmBackbone", self.backbone).with_detail(image)
        return self.backbone(image), None
