"""Models of segmentation-models-pytorch on any timm encoder, with a head for each task."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn

from roadex.config.backbone import BackboneConfig, TimmBackboneConfig
from roadex.config.model import ModelConfig
from roadex.errors import RoadexError
from roadex.models.contract import EVIDENCE, Logits, pad_to_multiple, task_classes
from roadex.models.heads import evidence_head

MULTIPLE = 32  # the stride of the encoders


class EncoderDecoder(nn.Module):
    """Encoder, decoder and one convolution whose channels are the logits of all tasks.

    Args:
        network: of segmentation-models-pytorch, its classes being those of all tasks together.
        config: tells the classes of each task.
        centre: changes the coarsest feature map before it is decoded.
    """

    def __init__(
        self, network: nn.Module, config: ModelConfig, centre: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.encoder = cast(nn.Module, network.encoder)
        self.centre = centre or nn.Identity()
        self.decoder = cast(nn.Module, network.decoder)
        self.head = cast(nn.Sequential, network.segmentation_head)
        self.classes = task_classes(config)
        self.evidence = evidence_head(config, cast(nn.Conv2d, self.head[0]).in_channels)
        self.multiple = MULTIPLE

    def forward(self, image: Tensor) -> Logits:
        """Normalised RGB (B, 3, H, W) of any size to one map (B, K, H, W) for each task."""
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


def build_network(
    architecture: str, config: ModelConfig, backbone: BackboneConfig, **options: Any
) -> nn.Module:
    """A model of segmentation-models-pytorch that has a channel for each class of each task.

    Raises:
        RoadexError: the backbone is not timm's, or does not fit the architecture.
    """
    import segmentation_models_pytorch as smp  # takes seconds, and most models do without

    from roadex.models.backbones.pyramid import explained
    from roadex.models.backbones.weights import timm_options
    from roadex.models.lora import adapt

    if not isinstance(backbone, TimmBackboneConfig):
        raise RoadexError(
            f"backbone={backbone.kind}: model={config.name} sits on a timm encoder; "
            "leave it out or set backbone=timm"
        )
    with explained(backbone):
        encoder = timm_options(backbone)
        pretrained = encoder.pop("pretrained")
        network = smp.create_model(
            architecture,
            encoder_name=f"tu-{backbone.name}",
            encoder_weights=True if pretrained else None,
            classes=sum(task_classes(config).values()),
            **encoder,
            **options,
        )
        if backbone.lora_rank:
            adapt(network.encoder, backbone.lora_rank, backbone.name)
    return cast(nn.Module, network)
