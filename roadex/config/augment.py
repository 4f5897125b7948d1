"""Schema of the group `augment`."""

from __future__ import annotations

from dataclasses import dataclass

from roadex.config.limits import bounded
from roadex.errors import RoadexError


@dataclass
class AugmentConfig:
    """Random changes of a training crop. The jitters are half-ranges in OpenCV's 8-bit HSV."""

    # A crop is magnified by a factor between these, and turned by up to this number of degrees.
    scale_min: float = bounded(1.0, above=0)
    scale_max: float = bounded(1.0, above=0)
    rotation: float = bounded(0.0, least=0, most=180)

    flip: bool = True
    quarter_turns: bool = True
    hue: int = bounded(0, least=0, most=90)
    saturation: int = bounded(0, least=0, most=255)
    value: int = bounded(0, least=0, most=255)
    # Largest change of the contrast, as a share.
    contrast: float = bounded(0.0, least=0, most=1)
    # Largest deviation of a Gaussian blur, in pixels.
    blur: float = bounded(0.0, least=0, most=20)
    # Rectangles of a random colour that hide the image, at most, and the longest side of one in px.
    occlusions: int = bounded(0, least=0)
    occlusion_px: int = bounded(32, least=1)
    # The share of crops in which a rectangle shows another crop, with its labels.
    mix: float = bounded(0.0, least=0, most=1)
    # The share of crops into which the roads of another crop are pasted, with their labels; half of
    # these roads without cars and markings.
    paste: float = bounded(0.0, least=0, most=1)

    def __post_init__(self) -> None:
        if self.scale_min > self.scale_max:
            raise RoadexError(
                f"augment.scale_min={self.scale_min}: must not be above "
                f"augment.scale_max={self.scale_max}"
            )
