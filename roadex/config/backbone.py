"""Schemas of the group `backbone`."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING

from roadex.config.limits import bounded
from roadex.errors import RoadexError

ALWAYS = "always"


@dataclass
class BackboneConfig:
    """Brings the image to the trunk: `width` channels at a quarter of the resolution."""

    kind: str = MISSING
    # Bands of the images; a training takes as many as its dataset.bands names.
    bands: int = bounded(3, least=3)


@dataclass
class PaperBackboneConfig(BackboneConfig):
    """The published downsampling module, trained from scratch."""

    kind: str = "paper"


@dataclass
class LightBackboneConfig(BackboneConfig):
    """Two strided convolutions and a block, trained from scratch."""

    kind: str = "light"


@dataclass
class TimmBackboneConfig(BackboneConfig):
    """Any timm feature extractor, its pyramid fused top-down at stride 4."""

    kind: str = "timm"
    name: str = "resnet18"
    # The weights that the encoder starts from: none, hub (timm's, downloaded), imagenet_package
    # (tf_efficientnet_lite0 to lite2, which come with roadex), or a .safetensors or .pth file.
    weights: str = "none"
    # Mean and deviation of each band / 255 that the weights of a file expect, where they are not
    # those that timm names for the model: for red, green and blue, or for all bands.
    mean: list[float] | None = None
    std: list[float] | None = None
    # The older spelling of weights=hub.
    pretrained: bool = False
    # Epochs in which the encoder, batch norms included, does not learn, or "always".
    freeze: str = "0"
    # The rank of the learnt changes to a transformer's queries and values, the rest of which is
    # frozen (LoRA); 0 trains all of it.
    lora_rank: int = bounded(0, least=0, most=256)
    # Whether model=roadex also sees the encoder's map at half of the resolution, if it has one.
    detail: bool = False

    def __post_init__(self) -> None:
        if self.pretrained and self.weights == "none":
            self.weights = "hub"
        if (self.mean is None) != (self.std is None):
            raise RoadexError("backbone.mean and backbone.std: set both or neither")
        if self.mean is not None and self.std is not None and not _fit(self.mean, self.std):
            raise RoadexError(
                "backbone.mean and backbone.std: a value each for red, green and blue, or for all "
                "bands, and deviations above 0"
            )
        if not (self.freeze == ALWAYS or self.freeze.isdecimal()):
            raise RoadexError(f"backbone.freeze={self.freeze}: a number of epochs, or {ALWAYS}")

    def is_frozen(self, epoch: int) -> bool:
        """Whether the encoder learns nothing in an epoch, counted from 1."""
        return self.freeze == ALWAYS or epoch <= int(self.freeze)


def _fit(mean: list[float], std: list[float]) -> bool:
    return len(mean) == len(std) >= 3 and min(std) > 0
