"""SAM-Road (Hetang et al. 2024), to compare with: two maps, and pairs of points by their ends.

The encoder is any of timm's. It keeps this project's frame: the maps and features are blended and
stored like those of any model, features as numbers from 0 to 1, and lengths are metres, which are
the pixels of the publication.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from roadex.config.backbone import BackboneConfig, TimmBackboneConfig
from roadex.config.model import PairHeadConfig, SamRoadConfig
from roadex.errors import RoadexError
from roadex.graph.paths.vertices import (
    Floats,
    Ints,
    Strength,
    Vertices,
    nearest_pairs,
    suppressed_points,
)
from roadex.models.contract import EVIDENCE, Logits, pad_to_multiple, task_classes
from roadex.models.pair_head import Cell, PairHead, PairQuery, read_at

_NARROWEST = 8  # channels of the decoder
_KEYPOINTS = 3  # the channel of the cells; the features follow it
_NODES_M = 8.0  # keypoints are at least so far apart
_STRIDE = 16  # of the publication's encoder
_NEVER = -20.0  # the logit of a pair that no source has among its nearest


class ChannelNorm(nn.Module):
    """A layer norm over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        normal: Tensor = self.norm(x.permute(0, 2, 3, 1))
        return normal.permute(0, 3, 1, 2)


class SamRoad(nn.Module):
    """An encoder's map at stride 16, transposed convolutions to all maps, features for pairs.

    Of an encoder that cannot stop at that stride its coarsest map.

    With `config.paths` the first map of the evidence is that of the keypoints: junctions and ends.
    """

    def __init__(self, config: SamRoadConfig, backbone: BackboneConfig) -> None:
        super().__init__()
        if not isinstance(backbone, TimmBackboneConfig):
            raise RoadexError(
                f"backbone={backbone.kind}: model={config.name} sits on a timm encoder; "
                "leave it out or set backbone=timm"
            )
        from roadex.models.backbones.pyramid import (  # timm takes a second to import
            create_extractor,
            feature_info,
            gives_channels_last,
        )

        self.encoder = create_extractor(backbone, coarsest=_STRIDE)
        info = feature_info(self.encoder)
        self.multiple = int(info.reduction()[-1])
        self.channels_last = gives_channels_last(self.encoder, backbone, self.multiple)
        self.classes = task_classes(config)
        self.neck = nn.Sequential(
            nn.Conv2d(int(info.channels()[-1]), config.width, 1, bias=False),
            ChannelNorm(config.width),
            nn.Conv2d(config.width, config.width, 3, padding=1, bias=False),
            ChannelNorm(config.width),
        )
        self.decoder = _decoder(
            config.width, sum(self.classes.values()) + int(config.paths), self.multiple
        )
        self.evidence: nn.Module | None = None
        if config.paths:
            self.evidence = nn.Conv2d(config.width, config.pair_head.evidence - 1, 1)

    def forward(self, image: Tensor) -> Logits:
        """Normalised image (B, bands, H, W) of any size to one map (B, K, H, W) for each task."""
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image, self.multiple)
        feature = list(self.encoder(padded))[-1]
        if self.channels_last:
            feature = feature.permute(0, 3, 1, 2)
        features = self.neck(feature)
        maps = _at_size(self.decoder(features), padded)[..., :height, :width]
        solved = sum(self.classes.values())
        parts = maps[:, :solved].split(list(self.classes.values()), dim=1)
        logits = {task: [part] for task, part in zip(self.classes, parts, strict=True)}
        if self.evidence is not None:
            described = _at_size(self.evidence(features), padded)[..., :height, :width]
            logits[EVIDENCE] = [torch.cat([maps[:, solved:], described], dim=1)]
        return logits


def _decoder(width: int, maps: int, stride: int) -> nn.Sequential:
    """Transposed convolutions, each of which doubles the sides: four for a stride of 16."""
    layers: list[nn.Module] = []
    inputs, doublings = width, max(1, round(math.log2(stride)))
    for _ in range(doublings - 1):
        outputs = max(inputs // 2, _NARROWEST)
        layers += [nn.ConvTranspose2d(inputs, outputs, 2, stride=2), ChannelNorm(outputs)]
        layers += [nn.GELU()]
        inputs = outputs
    return nn.Sequential(*layers, nn.ConvTranspose2d(inputs, maps, 2, stride=2))


def _at_size(maps: Tensor, image: Tensor) -> Tensor:
    """Maps of encoders whose stride is no power of two are resized to the image."""
    size = image.shape[-2:]
    if maps.shape[-2:] == size:
        return maps
    return functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)


class TopologyHead(nn.Module):
    """Logits that a road joins two points, from the features at both and the offset between.

    The pairs of a source, `nearest` at most, are one sequence of a transformer.

    Attributes:
        thresholds: (2,) of the keypoints and of the road, above which points are found; chosen on
            validation and kept with the weights.
    """

    nearest = 16
    classes = 0  # of connectivity, which it does not see
    point_maps = 1  # of the evidence, that points are found in

    def __init__(self, config: PairHeadConfig) -> None:
        super().__init__()
        if config.evidence < 2:
            raise RoadexError(
                f"model.pair_head.evidence={config.evidence}: model=sam_road needs 2 or more: "
                "the map of the keypoints and a feature"
            )
        self.config = config
        width = config.width
        self.features = nn.Linear(config.evidence - 1, width)
        self.token = nn.Linear(2 * width + 2, width)
        layer = nn.TransformerEncoderLayer(
            width, config.heads, 4 * width, dropout=0.0, batch_first=True
        )
        self.attention = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.logit = nn.Linear(width, 1)
        self.thresholds: Tensor
        self.register_buffer("thresholds", torch.tensor([0.5, 0.5]))

    def strength(self, maps: Tensor, cell: Cell) -> Strength:
        """Cells (C, h, w) as points are found in them."""
        road, keypoints = maps[[0, _KEYPOINTS]].detach().float().cpu().numpy()
        return Strength(road, np.zeros_like(road), keypoints, cell)

    def find(self, strength: Strength) -> Vertices:
        """The points of an image by non-maximum suppression, keypoints first."""
        node, road = self.thresholds.tolist()
        return suppressed_points(strength, (node, road), (_NODES_M, self.config.vertices.spacing_m))

    def candidates(self, points: Floats) -> Ints:
        """Indices (m, 2), the smaller first, of points of which one is near the other."""
        return nearest_pairs(points, self.config.vertices.reach_m, self.nearest)

    def forward(self, query: PairQuery) -> Tensor:
        """Logits (M,) of the pairs of all images, each the mean over both directions."""
        logits, taken = self.directed(query)
        counts = taken.sum(dim=1)
        means = (logits * taken).sum(dim=1) / counts.clamp(min=1)
        return means.masked_fill(counts == 0, _NEVER)

    both = forward

    def directed(self, query: PairQuery) -> tuple[Tensor, Tensor]:
        """Logits (M, 2) from either end, and which of them count: not those of far targets."""
        every = zip(query.maps, query.points, strict=True)
        seen = torch.cat([read_at(m[_KEYPOINTS + 1 :], p, query.cell).T for m, p in every])
        joined = query.joined()
        both = torch.stack([joined, joined.flip(1)], dim=1).flatten(0, 1)
        places = torch.cat(query.points)
        offset = (places[both[:, 1]] - places[both[:, 0]]) / self.config.vertices.reach_m
        described = self.features(seen)
        tokens = self.token(torch.cat([described[both].flatten(1), offset.to(seen.dtype)], dim=1))
        row, slot = _sequences(both[:, 0], offset.norm(dim=1))
        taken = slot < self.nearest
        row, slot = row[taken], slot[taken]
        filled = torch.zeros(int(row.max()) + 1, int(slot.max()) + 1, dtype=torch.bool)
        filled = filled.to(row.device).index_put(
            (row, slot), torch.ones_like(row, dtype=torch.bool)
        )
        sequences = tokens.new_zeros((*filled.shape, tokens.shape[-1]))
        sequences = sequences.index_put((row, slot), tokens[taken])
        mixed = self.attention(sequences, src_key_padding_mask=~filled)
        answers = self.logit(mixed[row, slot])[:, 0].float()
        where = taken.nonzero()[:, 0]
        logits = answers.new_zeros(len(both)).index_put((where,), answers)
        return logits.view(-1, 2), taken.view(-1, 2)


def _sequences(sources: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The sequence of each pair, and its place there: the nearest target of a source is first."""
    row = sources.unique(return_inverse=True)[1]
    order = lengths.argsort(stable=True)
    order = order[row[order].argsort(stable=True)]
    degree = row.bincount()
    first = degree.cumsum(0) - degree
    slot = torch.empty_like(row)
    slot[order] = torch.arange(len(row), device=row.device) - first[row[order]]
    return row, slot


Head = PairHead | TopologyHead


def head_of(model: nn.Module) -> Head | None:
    """The head of a model that classifies pairs; None if it has none."""
    head = getattr(model, "pair_head", None)
    return head if isinstance(head, PairHead | TopologyHead) else None
