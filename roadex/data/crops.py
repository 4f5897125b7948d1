"""Random training crops as a PyTorch dataset."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from roadex.data.augment import Augmentation
from roadex.data.prepared import PreparedDataset

Crop = dict[str, Tensor]


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
        crops_per_tile: int,
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        self.dataset = dataset
        self.names = dataset.splits["train"]
        self.size = size
        self.epoch_length = len(self.names) * crops_per_tile
        self.augmentation = augmentation
        self.seed = seed

    def __len__(self) -> int:
        """Crops in an epoch."""
        return self.epoch_length

    def __getitem__(self, draw: int) -> Crop:
        """Crop number `draw` since the start of the training.

        Returns image (3, S, S), mask (S, S) and connectivity (S, S), all uint8.
        """
        rng = np.random.default_rng([self.seed, draw])
        tile = self.dataset.tile(self._tile_name(draw))
        arrays = (tile.image, tile.mask, tile.connectivity)
        image, mask, connectivity = self.augmentation(arrays, self.size, rng)
        return {
            "image": torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))),
            "mask": torch.from_numpy(np.ascontiguousarray(mask)),
            "connectivity": torch.from_numpy(np.ascontiguousarray(connectivity)),
        }

    def _tile_name(self, draw: int) -> str:
        epoch, place = divmod(draw, self.epoch_length)
        order = np.random.default_rng([self.seed, epoch, 1]).permutation(self.epoch_length)
        return self.names[int(order[place]) % len(self.names)]


class DrawSampler(Sampler[list[int]]):
    """Batches of consecutive draws of one epoch; `epoch` is set before each. The rest is dropped.

    A training set smaller than a batch gives one smaller batch.
    """

    def __init__(self, epoch_length: int, batch_size: int) -> None:
        self.epoch_length = epoch_length
        self.batch_size = min(batch_size, epoch_length)
        self.epoch = 0

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.epoch_length // self.batch_size

    def __iter__(self) -> Iterator[list[int]]:
        """Draw numbers of each batch."""
        start = self.epoch * self.epoch_length
        for batch in range(len(self)):
            first = start + batch * self.batch_size
            yield list(range(first, first + self.batch_size))


def crop_loader(crops: CropDataset, batch_size: int, workers: int, pin: bool) -> DataLoader[Crop]:
    """Batches of crops; set `loader.batch_sampler.epoch` before each epoch."""
    return DataLoader(
        crops,
        batch_sampler=DrawSampler(len(crops), batch_size),
        num_workers=workers,
        pin_memory=pin,
        persistent_workers=workers > 0,
    )
