"""From trunk features to a task's logits."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from roadex.config.model import ModelConfig

_HIDDEN = 16


class IntermediateHead(nn.Sequential):
    """Logits of one task at the trunk's quarter resolution, supervised at every stack."""

    def __init__(self, width: int, hidden: int, classes: int) -> None:
        super().__init__(
            nn.Conv2d(width, hidden, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, classes, 1),
        )


class FullResolutionClassifier(nn.Sequential):
    """Logits of one task at the image's resolution, from the last stack's features (4x up)."""

    def __init__(self, width: int, hidden: int, classes: int) -> None:
        super().__init__(
            nn.Conv2d(width, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(hidden, hidden, 3, stride=1, padding=1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, 2 * hidden, 1, bias=False),
            nn.BatchNorm2d(2 * hidden),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(2 * hidden, hidden, 3, stride=2, padding=1, output_padding=1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.ConvTranspose2d(hidden, classes, 2, stride=2),
        )


class EvidenceHead(nn.Module):
    """Features for pairs of vertices: E maps from the features of a model's last layer."""

    def __init__(self, channels: int, evidence: int) -> None:
        super().__init__()
        self.layers = IntermediateHead(channels, _HIDDEN, evidence)

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        """(B, C, h, w) to logits (B, E, H, W) at the size of `image`."""
        logits: Tensor = self.layers(features)
        if logits.shape[-2:] == image.shape[-2:]:
            return logits
        size = image.shape[-2:]
        return functional.interpolate(logits, size=size, mode="bilinear", align_corners=False)


def evidence_head(config: ModelConfig, channels: int) -> EvidenceHead | None:
    """The head on last features of `channels` channels; None if not configured."""
    wanted = config.paths and config.pair_head.evidence
    return EvidenceHead(channels, config.pair_head.evidence) if wanted else None


class Remap(nn.Module):
    """The feedback of one task to the trunk between two stacks: A y + B score, on raw logits."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Conv2d(width, width, 1)
        self.scores = nn.Conv2d(classes, width, 1)

    def forward(self, y: Tensor, score: Tensor) -> Tensor:
        """(B, width, H, W) and (B, classes, H, W) to (B, width, H, W)."""
        result: Tensor = self.features(y) + self.scores(score)
        return result
