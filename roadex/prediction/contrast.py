"""From the numbers in a file to the 8 bits that a model has seen in training."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadex.config.dataset import StretchConfig
from roadex.data.stretch import EVERYWHERE, Calibration, stretch, without_undeclared
from roadex.errors import RoadexError
from roadex.prediction.scene import Piece, Scene

TRAINING, IMAGE = "training", "image"
_SAMPLE_PX = 2048
# A scene with a larger share of black or white shows nothing.
_NOTHING_TO_SEE = 0.95
# Values of 8 bits that span less show nothing, either.
_FLAT = 10
_PIECE_PX = 256


@dataclass(frozen=True)
class Contrast:
    """The value of each band that becomes 0, and that which becomes 255."""

    low: list[float]
    high: list[float]

    def to_8_bits(self, bands: NDArray[Any]) -> NDArray[np.uint8]:
        """Bands (n, h, w) as (h, w, n) uint8."""
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
    """A note if nearly all of a scene is plain black or white for the model."""
    if contrast is None:
        return _flat(_pieces(scene))
    values = _sample(scene)
    if not values.size:
        return []
    levels = contrast.to_8_bits(values[:, None, :])
    black, white = (float((levels == end).all(axis=-1).mean()) for end in (0, 255))
    if black + white < _NOTHING_TO_SEE:
        return []
    parts = ((black, "black"), (white, "white"))
    seen = " and ".join(f"{share:.0%} of it {colour}" for share, colour in parts if share >= 0.01)
    low, high = (", ".join(f"{v:g}" for v in ends) for ends in (contrast.low, contrast.high))
    return [
        f"the stretch from {low} to {high} leaves {seen}: "
        "set contrast=image, or declare the value of no data in the file (gdal_edit.py -a_nodata)"
    ]


def _pieces(scene: Scene) -> NDArray[np.float64]:
    """The values (bands, n) of nine squares of a scene, so that a large one is not read twice."""
    starts = [
        [max(0, round((side - _PIECE_PX) * part)) for part in (0.0, 0.5, 1.0)]
        for side in scene.shape
    ]
    found = []
    for top, left in sorted(set(product(*starts))):
        rows, columns = (
            slice(start, min(start + _PIECE_PX, side))
            for start, side in zip((top, left), scene.shape, strict=True)
        )
        piece = scene.read(rows, columns)
        found.append(_values(piece))
    return np.asarray(np.concatenate(found, axis=1), np.float64)


def _flat(values: NDArray[np.float64]) -> list[str]:
    """A note where values (bands, n) of 8 bits hardly differ."""
    if not values.size:
        return []
    low, high = np.percentile(values, [1, 99], axis=1)
    if (high - low).max() >= _FLAT:
        return []
    return [
        f"nearly all values lie from {low.min():g} to {high.max():g} of 255, where there is hardly "
        "anything to see: stretch the image (gdal_translate -scale) if it is not like that"
    ]


def _own_contrast(scene: Scene) -> Contrast:
    """By the percentiles that training tiles are stretched by.

    Values that are taken as undeclared no data are not counted.
    """
    values = _sample(scene)
    if not values.size:
        return Contrast([0.0] * scene.count, [1.0] * scene.count)
    settings = StretchConfig()
    percents = [settings.low_percent, settings.high_percent]
    ends = [np.percentile(_without_undeclared(band), percents) for band in values]
    low, high = np.transpose(ends)
    return Contrast(low.tolist(), high.tolist())


def _sample(scene: Scene) -> NDArray[np.float64]:
    """The values (bands, n) of a reduced scene."""
    share = min(1.0, _SAMPLE_PX / max(scene.shape))
    piece = scene.reduced(
        (max(1, int(scene.shape[0] * share)), max(1, int(scene.shape[1] * share)))
    )
    return _values(piece).astype(np.float64)


def _values(piece: Piece) -> NDArray[Any]:
    """The values (n, m) of a piece where it has data."""
    bands = piece.bands
    return bands.reshape(len(bands), -1) if piece.valid is None else bands[:, piece.valid]


def _without_undeclared(band: NDArray[np.float64]) -> NDArray[np.float64]:
    values, counts = np.unique(band, return_counts=True)
    data = values[without_undeclared(values, counts)]
    return np.asarray(band[(band >= data[0]) & (band <= data[-1])])
