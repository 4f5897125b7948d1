"""Every window of a view through the network, into a store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from roadex.engine.inference import Predictor, spans
from roadex.graph.beliefs import STEPS
from roadex.prediction.blend import Blender, final_part
from roadex.prediction.store import Store
from roadex.prediction.view import Strip, View

Item = TypeVar("Item")


@dataclass(frozen=True)
class _Scan:
    """A scan in progress."""

    predictor: Predictor
    store: Store
    blender: Blender
    progress: tqdm

    def row(self, index: int, strip: Strip) -> None:
        """One row of windows, and the rows of the image that are final after it."""
        rows = final_part(self.blender.rows, index)
        height = rows.stop - rows.start
        values = np.empty((1 + self.store.classes, height, self.store.shape[1]), np.uint8)
        for column, columns in enumerate(self.blender.columns):
            found = predicted(self.predictor, strip, columns, self.store.classes)
            block = self.blender.add(index, column, found)
            values[:, :, block.columns] = to_levels(block.values)
            self.progress.update()
        valid = None if strip.valid is None else strip.valid[:height]
        self.store.write(rows, values, valid)
        above = self.blender.above
        self.store.mark(index + 1, None if above is None else above.cpu().numpy())


@torch.inference_mode()
def predicted(predictor: Predictor, strip: Strip, columns: slice, classes: int) -> Tensor:
    """Road and connectivity (1 + classes, h, w) of a window; where no pixel is valid, 0."""
    image = strip.image[:, columns]
    if strip.valid is not None and not strip.valid[:, columns].any():
        return torch.zeros((1 + classes, *image.shape[:2]), device=predictor.device)
    found = predictor.window(image)
    parts = [found["segmentation"][1:2]]
    return torch.cat([*parts, found["connectivity"]] if classes else parts)


def to_levels(probabilities: Tensor) -> NDArray[np.uint8]:
    """Probabilities in 1/256, rounded down."""
    levels = (probabilities * STEPS).clamp_(0, STEPS - 1).to(torch.uint8)
    result: NDArray[np.uint8] = levels.cpu().numpy()
    return result


def scan(view: View, predictor: Predictor, store: Store) -> int:
    """Predict all windows of a view that the store does not know yet, with a progress bar.

    The next rows are read while the network is busy with the last.

    Returns:
        How many windows went through the network now.

    Raises:
        RoadexError: the image is damaged, or the store cannot be written.
    """
    rows, columns = (spans(side, predictor.settings) for side in view.shape)
    blender = Blender(rows, columns, predictor.settings.overlap, predictor.device)
    first, above = store.progress()
    blender.above = None if above is None else torch.from_numpy(above).to(predictor.device)
    total, done = len(rows) * len(columns), first * len(columns)
    with tqdm(
        total=total, initial=done, desc=view.scene.name, unit="window", leave=False, disable=None
    ) as progress:
        work = _Scan(predictor, store, blender, progress)
        for index, strip in enumerate(ahead(view.strips(rows[first:])), start=first):
            work.row(index, strip)
    return total - done


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each made in another thread while the one before it is used."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, items, None)
        while (item := pending.result()) is not None:
            pending = pool.submit(next, items, None)
            yield item
