"""From the numbers in a file to the 8 bits that a model has seen in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadex.config.dataset import StretchConfig
from roadex.data.stretch import EVERYWHERE, Calibration, stretch
from roadex.errors import RoadexError
from roadex.prediction.scene import Scene

TRAINING, IMAGE = "training", "image"
_SAMPLE_PX = 2048
# A scene with a larger share of black or white shows nothing.
_NOTHING_TO_SEE = 0.95
# A share of pixels that cannot have the same lowest value at random.
_SHARED = 0.002


@dataclass(frozen=True)
class Contrast:
    """The value of each band that becomes 0, and that which becomes 255."""

    low: list[float]
    high: list[float]

    def to_8_bits(self, bands: NDArray[Any]) -> NDArray[np.uint8]:
        """Bands (3, h, w) as (h, w, 3) uint8."""
        if bands.dtype == np.uint16:
            return stretch(bands, [int(v) for v in self.low], [int(v) for v in self.high])
        low, high = (np.array(v)[:, None, None] for v in (self.low, self.high))
        shares = (np.nan_to_num(bands) - low) / np.maximum(high - low, 1e-9)
        levels = np.rint(255 * shares.clip(0, 1)).astype(np.uint8)
        return np.ascontiguousarray(np.moveaxis(levels, 0, -1))


def choose_contrast(scene: Scene, wanted: str, calibration: Calibration) -> Contrast | None:
    """How a scene of more than 8 bits is stretched; None for one of 8 bits.

    Args:
        wanted: "training" (all its cities), one of its cities, or "image" (the scene's own values).
        calibration: the limits from the training tiles.

    Raises:
        RoadexError: the training has seen nothing of more than 8 bits, or no such city.
    """
    if scene.dtype == np.uint8:
        return None
    if wanted == IMAGE:
        return _own_contrast(scene)
    group = EVERYWHERE if wanted == TRAINING else wanted
    if group not in calibration and wanted == TRAINING:
        raise RoadexError(
            f"{scene.name}: {scene.dtype} values, but the model was trained on 8 bits; convert "
            "the image, or set contrast=image to stretch it by its own values"
        )
    if group not in calibration:
        known = ", ".join([TRAINING, IMAGE, *(name for name in calibration if name != EVERYWHERE)])
        raise RoadexError(f"contrast={wanted}: choose one of {known}")
    return Contrast(calibration[group]["low"], calibration[group]["high"])


def unseen(scene: Scene, contrast: Contrast | None) -> list[str]:
    """A note if a stretch makes nearly all of a scene black or white."""
    if contrast is None:
        return []
    values = _sample(scene)
    if not values.size:
        return []
    levels = contrast.to_8_bits(values[:, None, :])
    black, white = (float((levels == end).all(axis=-1).mean()) for end in (0, 255))
    if max(black, white) < _NOTHING_TO_SEE:
        return []
    colour = "black" if black > white else "white"
    low, high = (", ".join(f"{v:g}" for v in ends) for ends in (contrast.low, contrast.high))
    return [
        f"the stretch from {low} to {high} leaves {max(black, white):.0%} of it {colour}: "
        "set contrast=image, or declare the value of no data in the file (gdal_edit.py -a_nodata)"
    ]


def _own_contrast(scene: Scene) -> Contrast:
    """By the percentiles that training tiles are stretched by.

    A lowest value that many pixels share, far below all others, is taken as undeclared no data, and
    is not counted.
    """
    values = _sample(scene)
    if not values.size:
        return Contrast([0.0] * 3, [1.0] * 3)
    settings = StretchConfig()
    percents = [settings.low_percent, settings.high_percent]
    ends = [np.percentile(_without_undeclared(band), percents) for band in values]
    low, high = np.transpose(ends)
    return Contrast(low.tolist(), high.tolist())


def _sample(scene: Scene) -> NDArray[np.float64]:
    """The values (3, n) of a reduced scene."""
    share = min(1.0, _SAMPLE_PX / max(scene.shape))
    piece = scene.reduced(
        (max(1, int(scene.shape[0] * share)), max(1, int(scene.shape[1] * share)))
    )
    bands = piece.bands.astype(np.float64)
    return bands.reshape(3, -1) if piece.valid is None else bands[:, piece.valid]


def _without_undeclared(band: NDArray[np.float64]) -> NDArray[np.float64]:
    lowest = band.min()
    rest = band[band > lowest]
    shared = 1 - rest.size / band.size
    if not rest.size or shared < _SHARED:
        return band
    reach = float(np.percentile(rest, 98) - rest.min())
    return rest if rest.min() - lowest > 3 * max(reach, 1e-12) else band
