"""From an image of any size to probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from roadex.config.inference import InferenceConfig
from roadex.config.trainer import Precision
from roadex.data.prepared import Member
from roadex.engine.device import autocast
from roadex.models.contract import ATTRIBUTES, EVIDENCE, attribute_logits
from roadex.rasters.pictures import by_bands

Probabilities = dict[str, NDArray[np.float32]]
# Probabilities of each task for an image (H, W, bands) uint8.
Predict = Callable[[NDArray[np.uint8]], Probabilities]
Change = Callable[[Tensor], Tensor]
# An image whose pixels differ by less than this share from the training's is not resampled.
SAME_SIZE = 0.01
# No decoding uses the orientation, whose 37 maps would have to be turned with the image.
TRAINING_ONLY = {"orientation"}


@dataclass(frozen=True)
class Predictor:
    """A model with its normalisation.

    Attributes:
        model: gives the logits of each task, the full-resolution map last.
        mean, std: of each band / 255.
    """

    model: nn.Module
    device: torch.device
    mean: list[float]
    std: list[float]
    settings: InferenceConfig
    precision: Precision = Precision.fp32

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> Probabilities:
        """Softmax probabilities (K, H, W) of each task for an image (H, W, bands) uint8.

        An image larger than the window is predicted in overlapping windows whose probabilities are
        blended with weights that fall towards the window's border, so that no seam shows.
        """
        self.model.eval()
        height, width = image.shape[:2]
        totals: Probabilities = {}
        weights = np.zeros((height, width), np.float32)
        for rows, columns in windows(height, width, self.settings):
            weight = blend_weight(rows, columns, self.settings.overlap)
            weights[rows, columns] += weight
            for task, probability in self.window(image[rows, columns]).items():
                part = probability.cpu().numpy()
                if task not in totals:
                    totals[task] = np.zeros((len(part), height, width), np.float32)
                totals[task][:, rows, columns] += part * weight
        return {task: total / weights for task, total in totals.items()}

    @torch.inference_mode()
    def window(self, image: NDArray[np.uint8]) -> dict[str, Tensor]:
        """Probabilities (K, H, W) of each task, on the device, of an image predicted in one go."""
        self.model.eval()
        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
        normalized = normalize(pixels.to(self.device), self.mean, self.std)
        symmetries = SYMMETRIES if self.settings.flips else SYMMETRIES[:1]
        sums: dict[str, Tensor] = {}
        for turn, undo in symmetries:
            with autocast(self.device, self.precision):
                logits = self.model(turn(normalized))
            for task in logits.keys() - TRAINING_ONLY:
                full = undo(logits[task][-1].float())
                sums[task] = sums[task] + full if task in sums else full
        means = {task: total / len(symmetries) for task, total in sums.items()}
        return {task: probabilities_of(task, logits)[0] for task, logits in means.items()}


def probabilities_of(task: str, logits: Tensor) -> Tensor:
    """Logits (B, K, H, W) as probabilities, which add up to 1 over the classes of a task.

    Those of the attributes of roads add up to 1 for each attribute.
    """
    if task == ATTRIBUTES:
        parts = [part.softmax(dim=1) for part in attribute_logits(logits).values()]
        return torch.cat(parts, dim=1)
    return logits.sigmoid() if task == EVIDENCE else logits.softmax(dim=1)


def working_gsd(pixel_m: float, trained: float, finest: float | None) -> float:
    """The metres per pixel at which a model sees an image of another pixel size.

    Args:
        finest: finer pixels are resampled to it, those between it and `trained` are not; None:
            all are resampled to the training's.
    """
    return trained if finest is None else min(max(pixel_m, finest), trained)


def finest_gsd(asked: InferenceConfig, trained: InferenceConfig) -> float | None:
    """The finest pixels at which a model sees images: as set, else those of its training."""
    return trained.finest_gsd if asked.finest_gsd is None else asked.finest_gsd


@dataclass(frozen=True)
class RescaledPredictor:
    """A predictor that sees images magnified by `factor`; its probabilities fit the image."""

    predict: Predict
    factor: float

    def __call__(self, image: NDArray[np.uint8]) -> Probabilities:
        """Probabilities (K, H, W) of each task for an image (H, W, bands) uint8."""
        height, width = image.shape[:2]
        size = max(1, round(width * self.factor)), max(1, round(height * self.factor))
        how = cv2.INTER_AREA if self.factor < 1 else cv2.INTER_LINEAR
        seen = by_bands(lambda part: cv2.resize(part, size, interpolation=how), image)
        found = self.predict(seen)
        return {task: _resized(maps, (width, height)) for task, maps in found.items()}


def at_pixels(predictor: Predict, gsd: float, wanted: float) -> Predict:
    """The predictor for images of `gsd` metres per pixel, which it is to see at `wanted`."""
    factor = gsd / wanted
    return predictor if abs(factor - 1) < SAME_SIZE else RescaledPredictor(predictor, factor)


def for_member(predictor: Predict, member: Member) -> Predict:
    """The predictor for tiles of one of several datasets: at its pixels, with its normalisation.

    `member` must be of the dataset that the model of a `Predictor` is trained on.
    """
    if not isinstance(predictor, Predictor):
        return predictor
    if member.mean is not None and member.std is not None:
        predictor = replace(predictor, mean=member.mean, std=member.std)
    if member.zoom == 1:
        return predictor
    trained = member.gsd / member.zoom
    wanted = working_gsd(member.gsd, trained, predictor.settings.finest_gsd)
    return at_pixels(predictor, member.gsd, wanted)


def _resized(maps: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Maps (K, h, w) at another width and height."""
    return np.stack([np.asarray(cv2.resize(each, size), np.float32) for each in maps])


def normalize(image: Tensor, mean: list[float], std: list[float]) -> Tensor:
    """Bands uint8 (B, n, H, W) to float (x / 255 - mean) / std."""
    shift = torch.tensor(mean, device=image.device).view(1, -1, 1, 1)
    scale = torch.tensor(std, device=image.device).view(1, -1, 1, 1)
    return (image.float() / 255 - shift) / scale


def _symmetry(turns: int, flip: bool) -> tuple[Change, Change]:
    """A symmetry of the square on (..., H, W), and its inverse."""

    def turn(x: Tensor) -> Tensor:
        turned = x.rot90(turns, (-2, -1))
        return turned.flip(-1) if flip else turned

    def undo(x: Tensor) -> Tensor:
        return (x.flip(-1) if flip else x).rot90(-turns, (-2, -1))

    return turn, undo


SYMMETRIES = [_symmetry(turns, flip) for flip in (False, True) for turns in range(4)]


def windows(height: int, width: int, settings: InferenceConfig) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of windows that cover the image; the last one of a row ends at its edge."""
    for rows in spans(height, settings):
        for columns in spans(width, settings):
            yield rows, columns


def spans(side: int, settings: InferenceConfig) -> list[slice]:
    """The ranges of the windows along one side of an image."""
    if side <= settings.window:
        return [slice(0, side)]
    stride = settings.window - settings.overlap
    starts = [*range(0, side - settings.window, stride), side - settings.window]
    return [slice(start, start + settings.window) for start in starts]


def blend_weight(rows: slice, columns: slice, overlap: int) -> NDArray[np.float32]:
    """Weights (h, w) of a window: 1 inside, falling over `overlap` pixels towards its border."""
    return np.outer(ramp(rows, overlap), ramp(columns, overlap)).astype(np.float32)


def ramp(span: slice, overlap: int) -> NDArray[np.float64]:
    """The weights along one side of a window."""
    place = np.arange(span.stop - span.start)
    return np.minimum(1.0, (np.minimum(place, place[::-1]) + 1) / max(1, overlap))
