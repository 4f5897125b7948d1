"""From trunk features to a task's logits."""

from __future__ import annotations

from torch import Tensor, nn


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


class Remap(nn.Module):
    """What one task gives back to the trunk between two stacks: A y + B score, on raw logits."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Conv2d(width, width, 1)
        self.scores = nn.Conv2d(classes, width, 1)

    def forward(self, y: Tensor, score: Tensor) -> Tensor:
        """(B, width, H, W) and (B, classes, H, W) to (B, width, H, W)."""
        result: Tensor = self.features(y) + self.scores(score)
        return result
