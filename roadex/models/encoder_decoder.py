"""Models of segmentation-models-pytorch on any timm encoder, with a head for each task.

U-Net (Ronneberger et al. 2015), LinkNet (Chaurasia and Culurciello 2017), D-LinkNet (Zhou et al.
2018: LinkNet with a cascade of dilated convolutions in its centre), DeepLabV3+ (Chen et al. 2018,
on encoders that can be dilated to a stride of 16), and the all-MLP decoder of SegFormer (Xie et
al. 2021).
"""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn

from roadex.config.backbone import BackboneConfig, TimmBackboneConfig
from roadex.config.model import (
    DeepLabV3PlusConfig,
    DLinkNetConfig,
    LinknetConfig,
    ModelConfig,
    SegformerConfig,
    UnetConfig,
)
from roadex.errors import RoadexError
from roadex.models.contract import EVIDENCE, Logits, pad_to_multiple, task_classes
from roadex.models.heads import evidence_head

MULTIPLE = 32  # the stride of the encoders


class OneScaleEncoder(RoadexError):
    """A decoder with skips has nothing to skip from: the encoder's maps are all of one size."""


class EncoderDecoder(nn.Module):
    """Encoder, decoder and one convolution whose channels are the logits of all tasks.

    Args:
        model: of segmentation-models-pytorch, its classes being those of all tasks together.
        config: has the classes of each task.
        centre: changes the coarsest feature map before it is decoded.
    """

    def __init__(
        self, model: nn.Module, config: ModelConfig, centre: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.encoder = cast(nn.Module, model.encoder)
        self.centre = centre or nn.Identity()
        self.decoder = cast(nn.Module, model.decoder)
        self.head = cast(nn.Sequential, model.segmentation_head)
        self.classes = task_classes(config)
        self.evidence = evidence_head(config, cast(nn.Conv2d, self.head[0]).in_channels)
        self.multiple = MULTIPLE

    def forward(self, image: Tensor) -> Logits:
        """Normalised image (B, bands, H, W) of any size to one map (B, K, H, W) for each task."""
        height, width = image.shape[-2:]
        padded = pad_to_multiple(image, self.multiple)
        features = list(self.encoder(padded))
        features[-1] = self.centre(features[-1])
        decoded = self.decoder(features)
        parts = self.head(decoded)[..., :height, :width].split(list(self.classes.values()), dim=1)
        logits = {task: [part] for task, part in zip(self.classes, parts, strict=True)}
        if self.evidence is not None:
            logits[EVIDENCE] = [self.evidence(decoded, padded)[..., :height, :width]]
        return logits


def smp_model(
    architecture: str, config: ModelConfig, backbone: BackboneConfig, **options: Any
) -> nn.Module:
    """A model of segmentation-models-pytorch that has a channel for each class of each task.

    Raises:
        OneScaleEncoder: the backbone is a plain vision transformer.
        RoadexError: the backbone is not timm's, or does not fit the architecture.
    """
    import segmentation_models_pytorch as smp  # takes seconds, and most models do without

    from roadex.models.backbones.pyramid import explained, is_pyramid
    from roadex.models.backbones.weights import timm_options
    from roadex.models.encoders import adapt

    if not isinstance(backbone, TimmBackboneConfig):
        raise RoadexError(
            f"backbone={backbone.kind}: model={config.name} sits on a timm encoder; "
            "leave it out or set backbone=timm"
        )
    with explained(backbone):
        if not is_pyramid(backbone.name):
            raise OneScaleEncoder(
                f"backbone.name={backbone.name}: model={config.name} needs maps of several sizes, "
                "and it gives them of one"
            )
        encoder = timm_options(backbone)
        pretrained = encoder.pop("pretrained")
        model = smp.create_model(
            architecture,
            encoder_name=f"tu-{backbone.name}",
            encoder_weights=True if pretrained else None,
            in_channels=backbone.bands,
            classes=sum(task_classes(config).values()),
            **encoder,
            **options,
        )
        if backbone.lora_rank:
            adapt(model.encoder, backbone.lora_rank, backbone.name)
    return cast(nn.Module, model)


LEVELS = 5


def build_unet(config: UnetConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """Decoder levels of 16, 8, 4, 2 and 1 times `width` channels."""
    channels = [config.width * 2**level for level in reversed(range(LEVELS))]
    model = smp_model("unet", config, backbone, decoder_channels=channels)
    return EncoderDecoder(model, config)


def build_linknet(config: LinknetConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """The decoder's widths follow from the encoder's."""
    return EncoderDecoder(smp_model("linknet", config, backbone), config)


class DilatedCascade(nn.Module):
    """The sum of all y_i, with y_0 = x and y_i = relu(conv3x3 with dilation d_i of y_(i-1)).

    With dilations 1, 2, 4, 8 and 16 a pixel sees 63 x 63 of the coarsest map.
    """

    def __init__(self, channels: int, dilations: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation),
                nn.ReLU(),
            )
            for dilation in dilations
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        total = x
        for layer in self.layers:
            x = layer(x)
            total = total + x
        return total


def build_dlinknet(config: DLinkNetConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """LinkNet's encoder and decoder about the cascade."""
    model = smp_model("linknet", config, backbone)
    channels = cast(list[int], cast(nn.Module, model.encoder).out_channels)[-1]
    centre = DilatedCascade(channels, list(config.dilations))
    return EncoderDecoder(model, config, centre)


def build_deeplabv3plus(config: DeepLabV3PlusConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """Its pooled branch needs batches of two or more in training."""
    model = smp_model("deeplabv3plus", config, backbone, decoder_channels=config.width)
    return EncoderDecoder(model, config)


def build_segformer(config: SegformerConfig, backbone: BackboneConfig) -> EncoderDecoder:
    """The maps of strides 4 to 32 are brought to `width` channels each and fused."""
    model = smp_model("segformer", config, backbone, decoder_segmentation_channels=config.width)
    return EncoderDecoder(model, config)
