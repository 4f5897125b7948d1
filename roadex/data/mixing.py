"""Training crops that show two crops at once, with the labels of both."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from roadex.graph.paths.segments import Segments, beside, within_box, without_box

LABELS = ("mask", "connectivity", "orientation")
ROAD = 1
FEATHER = 1.0  # deviation of the blur at a pasted road's border, in pixels
SMOOTHEST = 6.0  # largest deviation of the blur of a pasted road's surface, in pixels
GRAIN = 6.0  # largest deviation of the noise that a smooth surface gets
FEW = 200  # fewer road pixels give no reliable colour


@dataclass(frozen=True)
class Sample:
    """A crop with its labels.

    Attributes:
        image: (bands, S, S) uint8.
        labels: (S, S) uint8 each, the mask first.
        roads: (M, 6) as in roadex/graph/paths/segments.py, if learnt.
        names: of the labels.
    """

    image: NDArray[np.uint8]
    labels: list[NDArray[np.uint8]]
    roads: Segments | None = None
    names: tuple[str, ...] = LABELS

    def tensors(self) -> dict[str, Tensor]:
        """All by their names, as a training takes them."""
        arrays = {"image": self.image, **dict(zip(self.names, self.labels, strict=False))}
        named = {key: torch.from_numpy(np.ascontiguousarray(a)) for key, a in arrays.items()}
        return named if self.roads is None else named | {"roads": torch.from_numpy(self.roads)}


def mixed(sample: Sample, other: Sample, rng: np.random.Generator) -> Sample:
    """The sample with a rectangle of a fifth to three fifths of `other`'s, after CutMix.

    Across two datasets it keeps a model from recognising the dataset by the rest of the picture
    (Yun et al. 2019; Tranheden et al. 2021).
    """
    area, stretch = rng.uniform(0.2, 0.6), float(np.exp(rng.uniform(-0.4, 0.4)))
    size = sample.image.shape[-1]
    rows = _span(size, np.sqrt(area * stretch), rng)
    columns = _span(size, np.sqrt(area / stretch), rng)
    joined = [np.array(array) for array in (sample.image, *sample.labels)]
    for own, its in zip(joined, (other.image, *other.labels), strict=True):
        own[..., rows, columns] = its[..., rows, columns]
    roads = None
    if sample.roads is not None and other.roads is not None:
        box = (float(columns.start), float(rows.start), float(columns.stop), float(rows.stop))
        roads = beside(without_box(sample.roads, box), within_box(other.roads, box))
    return replace(sample, image=joined[0], labels=joined[1:], roads=roads)


def _span(size: int, share: float, rng: np.random.Generator) -> slice:
    """A share of one side of a crop, somewhere along it."""
    length = min(size, round(size * share))
    start = int(rng.integers(size - length + 1))
    return slice(start, start + length)


def pasted(sample: Sample, other: Sample, rng: np.random.Generator) -> Sample:
    """The sample with the roads of `other` pasted into it, after copy-paste (Ghiasi et al. 2021).

    The mean colour of the pasted roads is moved towards that of the crop's own, by a random share,
    and half of them lose their cars and markings: what is learnt is a road's shape.
    """
    image, labels, its_labels = sample.image, sample.labels, other.labels
    region = its_labels[0] == ROAD
    surface = other.image.astype(np.float32)
    if rng.random() < 0.5:
        surface = _smooth(surface, region, rng)
    shift = rng.random() * (_colour(image, labels[0]) - _colour(other.image, its_labels[0]))
    alpha = cv2.GaussianBlur(region.astype(np.float32), (0, 0), FEATHER)
    blend = image + alpha * (surface + np.nan_to_num(shift)[:, None, None] - image)
    laid = [np.where(region, its, own) for own, its in zip(labels, its_labels, strict=True)]
    roads = None
    if sample.roads is not None and other.roads is not None:
        roads = beside(sample.roads, other.roads)
    image = np.clip(np.rint(blend), 0, 255).astype(np.uint8)
    return replace(sample, image=image, labels=laid, roads=roads)


def _smooth(
    image: NDArray[np.float32], region: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float32]:
    """The region's surface (bands, S, S) blurred within its borders, with noise of its own."""
    deviation = float(rng.uniform(1, SMOOTHEST))
    weight = region.astype(np.float32)
    layers = cv2.merge([*(image * weight), weight])
    *colours, share = cv2.split(cv2.GaussianBlur(layers, (0, 0), deviation))
    grain = rng.uniform(0, GRAIN) * rng.standard_normal(region.shape, dtype=np.float32)
    result: NDArray[np.float32] = np.stack(colours) / np.maximum(share, 1e-3) + grain
    return result


def _colour(image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean of each band (n,) on the road; NaN where there is too little of it."""
    road = mask == ROAD
    return image[:, road].mean(axis=1) if road.sum() >= FEW else np.full(len(image), np.nan)
