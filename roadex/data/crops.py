"""Random training crops as a PyTorch dataset."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from roadex.config.labels import ATTRIBUTE, ATTRIBUTE_NAMES
from roadex.data.augment import Augmentation
from roadex.data.mixing import LABELS, Sample, mixed, pasted
from roadex.data.prepared import PreparedDataset, PreparedTile
from roadex.graph.orientation import orientation_classes, turned_codes
from roadex.graph.paths.segments import moved_segments

Crop = dict[str, Tensor]
Part = Callable[[list[int]], list[int]]


class CropDataset(Dataset[Crop]):
    """Crop number n of a training, the same whichever process cuts it.

    The n-th draw of epoch e takes the tile at its place in a permutation seeded by (seed, e), and
    position and augmentation from a generator seeded by (seed, n). So workers never repeat each
    other, and an epoch is the same for any number of them.
    """

    def __init__(
        self,
        dataset: PreparedDataset,
        size: int,
        augmentation: Augmentation,
        seed: int,
        orientation: bool = False,
        roads: bool = False,
        attributes: Sequence[str] = (),
    ) -> None:
        self.dataset = dataset
        self.size = size
        self.epoch_length = len(dataset.training_draws())
        self.augmentation = augmentation
        self.seed = seed
        self.attributes = tuple(attributes)
        self._tiles = OpenTiles(dataset, orientation, roads, bool(attributes))
        self._looks: dict[str, Look] = {}
        self._names: tuple[int, list[str]] = (-1, [])
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        """Crops in an epoch."""
        return self.epoch_length

    def __getitem__(self, draw: int) -> Crop:
        """Crop number `draw` since the start of the training.

        Returns image (bands, S, S), mask, connectivity and, if learnt, orientation and attributes
        of roads such as attribute_class (S, S), all uint8, and, if learnt, the true roads (M, 6) as
        in roadex/graph/paths/segments.py.
        """
        rng = np.random.default_rng([self.seed, draw])
        sample = self._cut(self._tile_name(draw), rng)
        config = self.augmentation.config
        for share, join in ((config.mix, mixed), (config.paste, pasted)):
            if share and rng.random() < share:
                names = self._drawn(draw // self.epoch_length)
                other = self._cut(names[int(rng.integers(self.epoch_length))], rng)
                sample = join(sample, other, rng)
        return sample.tensors()

    def _cut(self, name: str, rng: np.random.Generator) -> Sample:
        """A random crop of a tile with all labels that are learnt."""
        tile = self._tiles(name)
        look = self._look(name)
        maps, names = [tile.image, tile.mask, tile.connectivity], list(LABELS[:2])
        if tile.directions is not None:
            maps.append(tile.directions)
            names.append(LABELS[2])
        if tile.attributes is not None:
            maps += [tile.attributes[ATTRIBUTE_NAMES.index(name)] for name in self.attributes]
            names += [f"{ATTRIBUTE}{name}" for name in self.attributes]
        moved, motion = self.augmentation.moved(tuple(maps), self.size, rng, look.zoom)
        image, *labels = moved
        if tile.directions is not None:
            codes = turned_codes(labels[2], motion.degrees, motion.quarter_turns, motion.flip)
            labels[2] = orientation_classes(codes)
        roads = None if tile.roads is None else moved_segments(tile.roads, motion.matrix, self.size)
        return Sample(look(image).transpose(2, 0, 1), labels, roads, tuple(names))

    def _look(self, name: str) -> Look:
        key = self.dataset.member_key(name)
        if key not in self._looks:
            self._looks[key] = Look.of(self.dataset, name)
        return self._looks[key]

    def _tile_name(self, draw: int) -> str:
        epoch, place = divmod(draw, self.epoch_length)
        if epoch != self._order[0]:
            rng = np.random.default_rng([self.seed, epoch, 1])
            self._order = (epoch, rng.permutation(self.epoch_length))
        return self._drawn(epoch)[int(self._order[1][place])]

    def _drawn(self, epoch: int) -> list[str]:
        if epoch != self._names[0]:
            self._names = (epoch, self.dataset.training_draws(epoch))
        return self._names[1]


@dataclass(frozen=True)
class Look:
    """How crops of one dataset are adapted to the training.

    Attributes:
        zoom: by which they are magnified.
        table: (256, bands) uint8, new values of each band's, where the dataset has its own
            normalisation.
    """

    zoom: float
    table: NDArray[np.uint8] | None

    @classmethod
    def of(cls, dataset: PreparedDataset, name: str) -> Look:
        """The look of a tile."""
        member = dataset.member(name)
        if member.mean is None or member.std is None:
            return cls(member.zoom, None)
        levels = np.arange(256)[:, None] / 255
        normal = (levels - np.array(member.mean)) / np.array(member.std)
        values = 255 * (normal * np.array(dataset.std) + np.array(dataset.mean))
        return cls(member.zoom, np.clip(values.round(), 0, 255).astype(np.uint8))

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """An image (H, W, bands) in the colours of the training."""
        if self.table is None:
            return image
        return np.asarray(cv2.LUT(np.ascontiguousarray(image), self.table[None]), np.uint8)


class OpenTiles:
    """The tiles of a dataset, the last few of them kept open: opening costs more than a crop."""

    def __init__(
        self,
        dataset: PreparedDataset,
        directions: bool = False,
        roads: bool = False,
        attributes: bool = False,
        most: int = 256,
    ) -> None:
        self._read = dataset.with_directions if directions else dataset.tile
        self._roads = dataset.roads if roads else None
        self._attributes = dataset.attributes if attributes else None
        self.most = most
        self._open: dict[str, PreparedTile] = {}

    def __call__(self, name: str) -> PreparedTile:
        """The mapped arrays of a tile."""
        tile = self._open.pop(name, None) or self._opened(name)
        self._open[name] = tile  # the last to be dropped
        if len(self._open) > self.most:
            del self._open[next(iter(self._open))]
        return tile

    def _opened(self, name: str) -> PreparedTile:
        tile = self._read(name)
        if self._roads is not None:
            tile = replace(tile, roads=self._roads(name))
        if self._attributes is not None:
            tile = replace(tile, attributes=self._attributes(name))
        return tile

    def __getstate__(self) -> dict[str, Any]:
        """Without the open tiles: another process opens its own instead of copying all pixels."""
        return {**self.__dict__, "_open": {}}


class DrawSampler(Sampler[list[int]]):
    """Batches of consecutive draws of one epoch. The rest of an epoch is dropped.

    `epoch`, counted from 0, and `start`, the first batch wanted of it, are set before each pass. A
    training set smaller than a batch gives one smaller batch.

    Args:
        only: how many batches of the first epoch every epoch repeats; 0 is all.
        part: picks the draws of a batch that this process cuts, of several that train together.
    """

    def __init__(
        self, epoch_length: int, batch_size: int, only: int = 0, part: Part = list[int]
    ) -> None:
        self.epoch_length = epoch_length
        self.batch_size = min(batch_size, epoch_length)
        self.only = only
        self.part = part
        self.epoch = 0
        self.start = 0

    @property
    def epoch_batches(self) -> int:
        """Batches in a whole epoch."""
        there = self.epoch_length // self.batch_size
        return min(self.only, there) if self.only else there

    def __len__(self) -> int:
        """Batches in this pass."""
        return self.epoch_batches - self.start

    def __iter__(self) -> Iterator[list[int]]:
        """Draw numbers of each batch."""
        for batch in range(self.start, self.epoch_batches):
            yield self.part(self.draws(self.epoch, batch))

    def draws(self, epoch: int, batch: int) -> list[int]:
        """Draw numbers of one batch, in all processes."""
        first = (0 if self.only else epoch * self.epoch_length) + batch * self.batch_size
        return list(range(first, first + self.batch_size))


def collated(crops: list[Crop]) -> Crop:
    """Crops as one batch; the roads of each are padded with NaN to equal numbers."""
    roads = [crop["roads"] for crop in crops if "roads" in crop]
    rest = [{key: value for key, value in crop.items() if key != "roads"} for crop in crops]
    batch: Crop = default_collate(rest)
    if roads:
        batch["roads"] = pad_sequence(roads, batch_first=True, padding_value=float("nan"))
    return batch


def crop_loader(
    crops: CropDataset,
    batch_size: int,
    workers: int,
    pin: bool,
    only: int = 0,
    part: Part = list[int],
) -> DataLoader[Crop]:
    """Batches of crops; set `loader.batch_sampler.epoch` before each epoch.

    With `workers` OpenCV takes one core in this process and in them: it would start a thread for
    every core in each. This is set before they are forked, since in a fork of a process that has
    such threads it would wait for them for ever.
    """
    if workers > 0:
        cv2.setNumThreads(1)
    return DataLoader(
        crops,
        batch_sampler=DrawSampler(len(crops), batch_size, only, part),
        collate_fn=collated,
        num_workers=workers,
        pin_memory=pin,
        persistent_workers=workers > 0,
        worker_init_fn=_leave_signals_to_parent,
        # Otherwise each pass would draw a number from the global generator.
        generator=torch.Generator().manual_seed(crops.seed),
    )


def _leave_signals_to_parent(worker: int) -> None:
    """A scheduler signals the whole group, but the parent still needs batches to end properly."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
