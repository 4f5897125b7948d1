"""The probabilities of a view block by block, so that many processes can share the work.

A block is a group of windows. Earlier windows that reach into it are predicted once more, so
that the result is, bit for bit, that of the scan of the whole view.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from roadex.engine.device import pick_device
from roadex.engine.inference import Predictor, spans
from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.prediction.blend import Blender
from roadex.prediction.contrast import Contrast
from roadex.prediction.crew import Crew, Item, Task
from roadex.prediction.levels import Levels
from roadex.prediction.mosaic import MosaicScene
from roadex.prediction.resample import Resampling
from roadex.prediction.scan import predicted, to_levels
from roadex.prediction.scene import FileScene, Scene, open_scene
from roadex.prediction.slices import shifted
from roadex.prediction.store import Region, Store
from roadex.prediction.view import View
from roadex.rasters.remote import Source


@dataclass(frozen=True)
class _Work:
    """All that a worker needs to know of a view; it opens the images itself."""

    scene: Callable[[], AbstractContextManager[Scene]]
    contrast: Contrast | None
    resampling: Resampling
    pixel_m: tuple[float, float]
    store: Store
    side: int

    def block(self, block: Item, predictor: Predictor) -> dict[Source, str]:
        """Predict a block into a file of its own; returns the images found to be damaged."""
        predictor = _on_worker(predictor)
        with self.scene() as scene:
            view = View(scene, self.contrast, self.resampling, self.pixel_m)
            values, valid = _predicted(view, predictor, block, self.side, self.store)
            failures = dict(scene.failures) if isinstance(scene, MosaicScene) else {}
        with atomic_write(_file(self.store, block)) as temporary, temporary.open("wb") as file:
            known = np.zeros(0) if valid is None else valid
            np.savez_compressed(file, values=values.fine, coarse=values.coarse, valid=known)
        return failures


def _file(store: Store, block: Item) -> Any:
    return store.folder / f"block-{block[0]}-{block[1]}.npz"


def scan_blocks(
    view: View, predictor: Predictor, store: Store, crew: Crew, block_px: int
) -> dict[str, str]:
    """Predict all blocks of a view that are not yet in the store.

    Args:
        block_px: about the side of a block.

    Returns:
        The blocks that failed, by a name for the user, and why.

    Raises:
        RoadexError: the scene is not one that workers can open.
    """
    stride = predictor.settings.window - predictor.settings.overlap
    side = max(1, round(block_px / stride))
    work = _Work(_opener(view.scene), view.contrast, view.resampling, view.pixel_m, store, side)
    rows, columns = (spans(length, predictor.settings) for length in view.shape)
    if store.progress()[0] == len(rows):
        return {}
    blocks = [(i, j) for i in range(0, len(rows), side) for j in range(0, len(columns), side)]
    places = {b: (_own(rows, b[0], side), _own(columns, b[1], side)) for b in blocks}
    store.keep_only(_region(place) for place in places.values())

    def keep(block: Item, failures: dict[Source, str]) -> None:
        if isinstance(view.scene, MosaicScene):
            view.scene.failures.update(failures)
        _store(store, block, places[block])
        store.keep_sums()

    missing = [block for block in blocks if _region(places[block]) not in store.sums]
    shared = replace(predictor, model=predictor.model.cpu(), device=torch.device("cpu"))
    failed = crew.each(Task(view.scene.name, work.block, shared, keep), missing)
    if not failed:
        store.mark(len(rows), None)
    return {_named(*places[block]): reason for block, reason in failed.items()}


def _region(place: tuple[slice, slice]) -> Region:
    return place[0].start, place[0].stop, place[1].start, place[1].stop


def _named(rows: slice, columns: slice) -> str:
    return f"rows {rows.start}-{rows.stop}, columns {columns.start}-{columns.stop}"


def _opener(scene: Scene) -> Callable[[], AbstractContextManager[Scene]]:
    """How another process opens a scene."""
    if isinstance(scene, MosaicScene):
        return partial(_as_it_is, scene)
    if isinstance(scene, FileScene):
        return partial(open_scene, scene.path, list(scene.numbers))
    raise RoadexError(f"{scene.name}: workers cannot open an array; give a file, or cluster=none")


def _as_it_is(scene: Scene) -> AbstractContextManager[Scene]:
    return nullcontext(scene)


def _own(windows: list[slice], first: int, side: int) -> slice:
    """The pixels of a block along one side: from its first window to the first of the next."""
    after = first + side
    stop = windows[after].start if after < len(windows) else windows[-1].stop
    return slice(windows[first].start, stop)


def _store(store: Store, block: Item, place: tuple[slice, slice]) -> None:
    """Move a block from its own file into the store."""
    path = _file(store, block)
    with np.load(path, allow_pickle=False) as content:
        valid = content["valid"] if content["valid"].size else None
        store.write(place[0], content["values"], valid, place[1], content["coarse"])
    path.unlink()


def _predicted(
    view: View, predictor: Predictor, block: Item, side: int, store: Store
) -> tuple[Levels, NDArray[np.bool_] | None]:
    """The probabilities of a block, and where it has data."""
    own, used = [], []
    for first, length in zip(block, view.shape, strict=True):
        windows = spans(length, predictor.settings)
        own.append(_own(windows, first, side))
        used.append([w for w in windows[: first + side] if w.stop > own[-1].start])
    corner = used[0][0].start, used[1][0].start
    rows, columns = ([shifted(w, at) for w in ws] for ws, at in zip(used, corner, strict=True))
    blender = Blender(rows, columns, predictor.settings.overlap, predictor.device)
    shape = rows[-1].stop, columns[-1].stop
    whole = slice(corner[0], corner[0] + shape[0]), slice(corner[1], corner[1] + shape[1])
    values = Levels.empty(1 + store.planes, store.attribute_maps, whole)
    valid = np.ones(shape, np.bool_) if view.scene.masked else None
    for index, strip in enumerate(view.strips(used[0], whole[1])):
        for column, span in enumerate(columns):
            part = blender.add(index, column, predicted(predictor, strip, span, store))
            place = shifted(part.rows, -corner[0]), shifted(part.columns, -corner[1])
            values.put(to_levels(part.values), place)
        if valid is not None and strip.valid is not None:
            valid[rows[index]] = strip.valid
    kept = shifted(own[0], corner[0]), shifted(own[1], corner[1])
    return values.cut((own[0], own[1])), None if valid is None else valid[kept]


def _on_worker(predictor: Predictor) -> Predictor:
    """The predictor on the GPU of this worker, where its machine has any."""
    if not torch.cuda.is_available():
        return predictor
    from distributed import get_worker

    name = str(get_worker().name)
    rank = int(name) % torch.cuda.device_count() if name.isdecimal() else 0
    device = pick_device("cuda", rank)
    return replace(predictor, model=predictor.model.to(device), device=device)
