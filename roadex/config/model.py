"""Schemas of the group `model`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from omegaconf import MISSING

from roadex.config.graph import VertexSettings
from roadex.config.labels import ATTRIBUTE_NAMES
from roadex.config.limits import bounded, choice


class GlobalAware(Enum):
    """Which gates of the global-aware layer are built."""

    none = "none"
    channel = "channel"
    spatial = "spatial"
    both = "both"


@dataclass
class PairHeadConfig:
    """The head that classifies which pairs of vertices a road joins: roadex/models/pair_head.py."""

    # How vertices and pairs are found; they belong to the model, which learns to classify these.
    vertices: VertexSettings = field(default_factory=VertexSettings)
    # Maps that the model gives for the classification of pairs alone.
    evidence: int = bounded(8, least=0, most=256)
    width: int = bounded(40, least=8)
    # Times the pairs of a vertex attend to each other.
    layers: int = bounded(2, least=1, most=12)
    heads: int = bounded(4, least=1)
    # Places along the way between two vertices at which the maps are read.
    samples: int = bounded(17, least=2, most=129)
    # For ablations: what lies along the way, the connectivity, and the other pairs of a vertex.
    see_way: bool = True
    see_connectivity: bool = True
    see_others: bool = True


@dataclass
class ModelConfig:
    """What all models share: `name` is the key in the registry (roadex/models/registry.py)."""

    name: str = MISSING
    # Whether the connectivity task is built beside the segmentation.
    connectivity: bool = True
    # Background, dead end, along, three ways, ... up to `connectivity_classes - 1` ways or more.
    connectivity_classes: int = bounded(5, least=3, most=64)
    # Directions of the road's orientation, besides the background; 0: not learnt.
    orientation_bins: int = choice(0, 0, 36)
    # Whether pairs of vertices are classified; `graph.decoder=paths` makes the network of them.
    paths: bool = False
    # Whether class, surface, lanes and speed of roads are learnt, and which of them.
    attributes: bool = False
    attribute_names: list[str] = field(default_factory=lambda: list(ATTRIBUTE_NAMES))
    pair_head: PairHeadConfig = field(default_factory=PairHeadConfig)


def learnt_attributes(config: ModelConfig) -> tuple[str, ...]:
    """The attributes of roads that a model learns, in the order of its channels."""
    wanted = config.attribute_names if config.attributes else []
    return tuple(name for name in ATTRIBUTE_NAMES if name in wanted)


@dataclass
class StackedMultitaskConfig(ModelConfig):
    """The stacked multitask model of Xu et al. 2023; the defaults are the published setting."""

    name: str = "stacked_multitask"
    stacks: int = bounded(2, least=1)
    # Times the hourglass halves the trunk's resolution.
    depth: int = bounded(3, least=1, most=6)
    width: int = bounded(128, least=8)
    # Residual blocks in each group of the hourglass.
    blocks: int = bounded(3, least=1)
    global_aware: GlobalAware = GlobalAware.both
    squeeze: int = bounded(16, least=1)
    # Hidden channels of the heads and of the full-resolution classifiers.
    head_width: int = bounded(32, least=4)


@dataclass
class MultibranchConfig(StackedMultitaskConfig):
    """A stacked model whose tasks each have their own decoder half of every hourglass."""

    name: str = "multibranch"
    # Skips of the hourglass go through a group of blocks instead of being the identity.
    skip_groups: bool = False
    # Another output of each task at half of the resolution.
    half_scale: bool = False


@dataclass
class StackedOrientationConfig(MultibranchConfig):
    """The predecessor of Batra et al. 2019: road and orientation, plain residual blocks."""

    name: str = "stacked_orientation"
    connectivity: bool = False
    orientation_bins: int = choice(36, 0, 36)
    global_aware: GlobalAware = GlobalAware.none
    skip_groups: bool = True
    half_scale: bool = True


@dataclass
class RoadexConfig(ModelConfig):
    """This project's own model, derived from the published one."""

    name: str = "roadex"
    stacks: int = bounded(2, least=1)
    # Times each hourglass halves the trunk's resolution.
    depth: int = bounded(3, least=1, most=6)
    width: int = bounded(64, least=8)
    # Each coarser level of an hourglass is wider by this factor, rounded to a multiple of 8.
    growth: float = bounded(1.5, least=1, most=4)
    # Residual blocks on the way down at each level.
    blocks: int = bounded(1, least=1)
    squeeze: int = bounded(8, least=1)
    spatial_gate: bool = True
    # Channels at half of the resolution, in which features meet the image's detail.
    detail: int = bounded(16, least=4)


@dataclass
class EncoderDecoderConfig(ModelConfig):
    """What the models on a timm encoder share: by default they learn the road alone."""

    connectivity: bool = False


@dataclass
class UnetConfig(EncoderDecoderConfig):
    """U-Net (Ronneberger et al. 2015)."""

    name: str = "unet"
    # Channels of the finest decoder level; each coarser one has twice as many.
    width: int = bounded(16, least=4)


@dataclass
class LinknetConfig(EncoderDecoderConfig):
    """LinkNet (Chaurasia and Culurciello 2017)."""

    name: str = "linknet"


@dataclass
class DLinkNetConfig(EncoderDecoderConfig):
    """D-LinkNet (Zhou et al. 2018): LinkNet with dilated convolutions in its centre."""

    name: str = "dlinknet"
    # Of the 3x3 convolutions in cascade, whose outputs are summed.
    dilations: list[int] = field(default_factory=lambda: [1, 2, 4, 8, 16])


@dataclass
class DeepLabV3PlusConfig(EncoderDecoderConfig):
    """DeepLabV3+ (Chen et al. 2018)."""

    name: str = "deeplabv3plus"
    width: int = bounded(256, least=8)


@dataclass
class SegformerConfig(EncoderDecoderConfig):
    """The all-MLP decoder of SegFormer (Xie et al. 2021)."""

    name: str = "segformer"
    width: int = bounded(256, least=8)


def _published_pairs() -> PairHeadConfig:
    """Those of SAM-Road; a pixel there is a metre wide."""
    vertices = VertexSettings(spacing_m=16.0, reach_m=64.0, winding=1000.0)
    return PairHeadConfig(vertices=vertices, evidence=65, width=128, layers=3)


@dataclass
class SamRoadConfig(ModelConfig):
    """SAM-Road (Hetang et al. 2024) on any timm encoder: roadex/models/sam_road.py.

    Of `pair_head.evidence` the first map is that of the keypoints.
    """

    name: str = "sam_road"
    connectivity: bool = False
    paths: bool = True
    # Channels of the encoder's map as decoder and head see it.
    width: int = bounded(256, least=16)
    pair_head: PairHeadConfig = field(default_factory=_published_pairs)
