"""Any timm feature extractor as a backbone at stride 4."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import timm
import torch
from timm.models import FeatureInfo
from torch import Tensor, nn
from torch.nn import functional

from roadex.config.backbone import TimmBackboneConfig
from roadex.errors import RoadexError
from roadex.models.backbones.weights import timm_options
from roadex.models.encoders import adapt


class TimmBackbone(nn.Module):
    """A timm model's features, fused top-down: (B, bands, H, W) to (B, width, H/4, W/4).

    The pyramid's maps are brought to `width` channels by 1x1 convolutions and added from the
    coarsest to the finest, as in feature pyramid networks (Lin et al. 2017); a 3x3 convolution
    smooths the sum. Maps finer than stride 4 are averaged down to it, so extractors whose first
    feature is at stride 2 or 4, and plain vision transformers with one stride, all fit.

    Attributes:
        multiple: the image's sides must be multiples of it.
        detail_channels: of the map at half of the resolution that `with_detail` gives; 0 for none.
    """

    def __init__(self, config: TimmBackboneConfig, width: int) -> None:
        super().__init__()
        self.extractor = create_extractor(config)
        info = feature_info(self.extractor)
        self.strides = [int(stride) for stride in info.reduction()]
        self.multiple = math.lcm(4, *self.strides)
        self.channels_last = gives_channels_last(self.extractor, config, self.multiple)
        self.detail_channels = 0
        if config.detail and self.strides[0] == 2:
            self.detail_channels = int(info.channels()[0])
        self.laterals = nn.ModuleList(
            nn.Conv2d(channels, width, 1, bias=False) for channels in info.channels()
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in self.strides)
        self.smooth = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, bands, H, W) to (B, width, H/4, W/4); H and W multiples of `multiple`."""
        return self.with_detail(x)[0]

    def with_detail(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """The trunk and, if asked for and available, (B, detail_channels, H/2, W/2)."""
        features = list(self.extractor(x))
        if self.channels_last:
            features = [feature.permute(0, 3, 1, 2) for feature in features]
        trunk = self._fused(features, (x.shape[-2] // 4, x.shape[-1] // 4))
        return trunk, features[0] if self.detail_channels else None

    def _fused(self, features: list[Tensor], trunk: tuple[int, int]) -> Tensor:
        fused: Tensor | None = None
        maps = list(zip(features, self.laterals, self.norms, self.strides, strict=True))
        for feature, lateral, norm, stride in reversed(maps):
            level = norm(lateral(feature))
            if fused is not None:
                level = level + _resize(fused, level.shape[-2:])
            fused = functional.avg_pool2d(level, 4 // stride) if stride < 4 else level
        assert fused is not None
        result: Tensor = self.smooth(_resize(fused, trunk))
        return result


def _resize(x: Tensor, size: tuple[int, ...]) -> Tensor:
    if x.shape[-2:] == size:
        return x
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def create_extractor(config: TimmBackboneConfig, coarsest: int | None = None) -> nn.Module:
    """A timm feature extractor, for images of any size if the model allows it.

    Args:
        coarsest: no map is coarser than this stride, where the model can dilate its last stages.

    Raises:
        RoadexError: no such model, a model without feature maps, or weights that cannot be fetched.
    """
    with explained(config):
        options = timm_options(config)
        extractor = _create_for_any_size(config, options)
        if coarsest and max(feature_info(extractor).reduction()) > coarsest:
            with suppress(TypeError):  # it cannot
                extractor = _create_for_any_size(config, {**options, "output_stride": coarsest})
        if config.lora_rank:
            adapt(extractor, config.lora_rank, config.name)
        return extractor


@contextmanager
def explained(config: TimmBackboneConfig) -> Iterator[None]:
    """Say in one line why a timm model cannot be made.

    Raises:
        RoadexError: no such model, a model without feature maps, or weights that cannot be fetched.
    """
    name = config.name
    if not timm.is_model(name.split(".")[0]):
        raise RoadexError(f"backbone.name={name}: timm has no such model{_near(name)}")
    try:
        yield
    except RoadexError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if config.weights == "hub":
            raise RoadexError(
                f"backbone.weights=hub: the weights of {name} cannot be fetched ({reason}); go "
                "online once, set HF_HOME to a folder that holds them, or backbone.weights=none"
            ) from error
        raise RoadexError(
            f"backbone.name={name}: it gives no fitting feature maps ({reason}); "
            "choose another model"
        ) from error


def feature_info(extractor: nn.Module) -> FeatureInfo:
    """timm's description of the feature maps: their channels and strides."""
    return cast(FeatureInfo, extractor.feature_info)


def is_pyramid(name: str) -> bool:
    """Whether a timm model gives maps of several sizes, as plain vision transformers do not."""
    with torch.device("meta"):
        extractor = timm.create_model(name, features_only=True)
    return len(set(feature_info(extractor).reduction())) > 1


def _create_for_any_size(config: TimmBackboneConfig, options: dict[str, Any]) -> nn.Module:
    """Transformers get the option for any image size, which other models do not have.

    The weights of the first layer are adapted to the bands by timm: those of red, green and blue
    are repeated in this order and scaled.
    """
    options = {**options, "features_only": True, "in_chans": config.bands}
    lenient: list[dict[str, Any]] = [{"dynamic_img_size": True}, {"strict_img_size": False}]
    for option in lenient:
        try:
            return timm.create_model(config.name, **options, **option)
        except TypeError:
            continue
    return timm.create_model(config.name, **options)


@torch.no_grad()
def gives_channels_last(extractor: nn.Module, config: TimmBackboneConfig, multiple: int) -> bool:
    """Whether the feature maps come as (B, H, W, C), seen on a blank oblong image.

    Raises:
        RoadexError: the model takes only one image size.
    """
    training = extractor.training
    try:
        features = extractor.eval()(torch.zeros(1, config.bands, 2 * multiple, 3 * multiple))
    except (AssertionError, RuntimeError) as error:
        raise RoadexError(
            f"backbone.name={config.name}: it takes only images of one size ({error}); choose "
            "another"
        ) from error
    extractor.train(training)
    channels = feature_info(extractor).channels()
    return any(f.shape[1] != c for f, c in zip(features, channels, strict=True))


def _near(name: str) -> str:
    found = difflib.get_close_matches(name, timm.list_models(), n=3, cutoff=0.5)
    return f"; near it: {', '.join(found)}" if found else "; see timm.list_models()"
