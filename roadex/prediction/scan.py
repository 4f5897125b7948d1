"""Every window of a view through the model, into a store."""

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
from roadex.graph.probability_maps import STEPS
from roadex.models.contract import ATTRIBUTES, EVIDENCE
from roadex.prediction.blend import Blender, final_part
from roadex.prediction.levels import Levels
from roadex.prediction.slices import shifted
from roadex.prediction.store import Store
from roadex.prediction.view import Strip, View

Item = TypeVar("Item")
# Windows of a row that are read at a time.
_WINDOWS_AT_ONCE = 8


@dataclass(frozen=True)
class _Section:
    """A part of a row of windows.

    Attributes:
        row: of windows.
        windows: the numbers of those in the row, from left to right.
        strip: the pixels of all of them.
    """

    row: int
    windows: range
    strip: Strip


@dataclass(frozen=True)
class _Scan:
    """A scan in progress."""

    predictor: Predictor
    store: Store
    blender: Blender
    progress: tqdm

    def section(self, section: _Section) -> None:
        """Some windows of a row, and the pixels of the image that are final after them."""
        columns, windows = self.blender.columns, section.windows
        left = columns[windows[0]].start
        rows = final_part(self.blender.rows, section.row)
        own = slice(left, final_part(columns, windows[-1]).stop)
        shape = rows.stop - rows.start, own.stop - own.start
        values = Levels.empty(1 + self.store.planes, self.store.attribute_maps, (rows, own))
        for index in windows:
            seen = shifted(columns[index], left)
            found = predicted(self.predictor, section.strip, seen, self.store)
            block = self.blender.add(section.row, index, found)
            values.put(to_levels(block.values), (rows, block.columns))
            self.progress.update()
        valid = section.strip.valid
        known = None if valid is None else valid[: shape[0], : shape[1]]
        self.store.write(rows, values.fine, known, own, values.coarse)

    def end_row(self, row: int) -> None:
        """Record that a row of windows is done."""
        above = self.blender.above
        self.store.mark(row + 1, None if above is None else above.cpu().numpy())


@torch.inference_mode()
def predicted(predictor: Predictor, strip: Strip, columns: slice, store: Store) -> Tensor:
    """Road and all other maps (C, h, w) of a window; where no pixel is valid, 0."""
    image = strip.image[:, columns]
    if strip.valid is not None and not strip.valid[:, columns].any():
        return torch.zeros((store.maps, *image.shape[:2]), device=predictor.device)
    found = predictor.window(image)
    parts = [found["segmentation"][1:2]]
    parts += [found["connectivity"]] if store.classes else []
    parts += [found[EVIDENCE]] if store.evidence_maps else []
    parts += [found[ATTRIBUTES]] if store.attribute_maps else []
    return torch.cat(parts)


def to_levels(probabilities: Tensor) -> NDArray[np.uint8]:
    """Probabilities in 1/256, rounded down."""
    levels = (probabilities * STEPS).clamp_(0, STEPS - 1).to(torch.uint8)
    result: NDArray[np.uint8] = levels.cpu().numpy()
    return result


def scan(view: View, predictor: Predictor, store: Store) -> int:
    """Predict all windows of a view that are not yet in the store, with a progress bar.

    The next rows are read while the model is busy with the last.

    Returns:
        The number of windows that were predicted now.

    Raises:
        RoadexError: the image is damaged, or the store cannot be written.
    """
    rows, columns = (spans(side, predictor.settings) for side in view.shape)
    blender = Blender(rows, columns, predictor.settings.overlap, predictor.device)
    first, above = store.progress()
    if not first:
        store.keep_only([])
    blender.above = None if above is None else torch.from_numpy(above).to(predictor.device)
    total, done = len(rows) * len(columns), first * len(columns)
    with tqdm(
        total=total, initial=done, desc=view.scene.name, unit="window", leave=False, disable=None
    ) as progress:
        work = _Scan(predictor, store, blender, progress)
        for section in ahead(_sections(view, rows, columns, first)):
            work.section(section)
            if section.windows.stop == len(columns):
                work.end_row(section.row)
    return total - done


def _sections(
    view: View, rows: list[slice], columns: list[slice], first: int
) -> Iterator[_Section]:
    """The windows of a view from a row on, few at a time, so that a wide image needs no more
    memory than another; pixels that rows of windows share are read once."""
    starts = range(0, len(columns), _WINDOWS_AT_ONCE)
    parts = [range(i, min(i + _WINDOWS_AT_ONCE, len(columns))) for i in starts]
    strips = [
        view.strips(rows[first:], slice(columns[part[0]].start, columns[part[-1]].stop))
        for part in parts
    ]
    for row in range(first, len(rows)):
        for part, strip in zip(parts, strips, strict=True):
            yield _Section(row, part, next(strip))


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The items, each made in another thread while the previous one is used."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(next, items, None)
        while (item := pending.result()) is not None:
            pending = pool.submit(next, items, None)
            yield item
