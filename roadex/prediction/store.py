"""Probabilities of a whole image on disk, and the progress of the model."""

from __future__ import annotations

import json
import logging
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.files import atomic_write, read_json, write_json
from roadex.prediction.levels import COARSE, coarse_span, thinned

log = logging.getLogger(__name__)
_PIXELS_AT_ONCE = 1 << 26
_NOTHING = np.zeros(0, np.float32)
_ROAD, _PLANES, _VALID = "road.npy", "planes.npy", "valid.npy"
_SUMS, _PROGRESS, _ATTRIBUTES = "sums.npy", "progress.npz", "attributes.npy"
Region = tuple[int, int, int, int]  # first and last row and column, the last ones outside


@dataclass(frozen=True)
class Store:
    """Arrays of an image in a folder, filled from the top row by row.

    They are mapped only while they are written or read, since mapped pages count as memory.

    Attributes:
        shape: rows and columns.
        classes: of connectivity; 0 without.
        evidence_maps: of the features for pairs of vertices; 0 without.
        masked: whether some pixels may not be valid.
        attribute_maps: of the attributes of roads, at every `COARSE`-th pixel; 0 without.
        sums: the checksum of what was written to each region.
    """

    folder: Path
    shape: tuple[int, int]
    classes: int
    masked: bool
    evidence_maps: int = 0
    attribute_maps: int = 0
    sums: dict[Region, int] = field(default_factory=dict)

    @property
    def planes(self) -> int:
        """Maps beside the road."""
        return self.classes + self.evidence_maps

    @property
    def maps(self) -> int:
        """The number of maps of a model."""
        return 1 + self.planes + self.attribute_maps

    @property
    def road(self) -> NDArray[np.uint8]:
        """Probability of road (H, W) in 1/256, mapped."""
        return self._mapped(_ROAD)

    @property
    def connectivity(self) -> NDArray[np.uint8] | None:
        """Probability (K, H, W) of each number of directions in 1/256, mapped."""
        return self._mapped(_PLANES)[: self.classes] if self.classes else None

    @property
    def evidence(self) -> NDArray[np.uint8] | None:
        """Features for pairs of vertices (E, H, W) in 1/256, mapped."""
        return self._mapped(_PLANES)[self.classes :] if self.evidence_maps else None

    @property
    def attributes(self) -> NDArray[np.uint8]:
        """Probabilities (C, ceil(H / COARSE), ceil(W / COARSE)) of attributes in 1/256, mapped."""
        return self._mapped(_ATTRIBUTES)

    @property
    def valid(self) -> NDArray[np.bool_] | None:
        """(H, W) where there are data, mapped; None: everywhere."""
        return self._mapped(_VALID).view(np.bool_) if self.masked else None

    def valid_share(self) -> float:
        """The share of the image that has data, from 0 to 1."""
        if not self.masked:
            return 1.0
        height, width = self.shape
        step = max(1, _PIXELS_AT_ONCE // width)
        tops = range(0, height, step)
        # A new map for each part, so that pages of the last one are released.
        known = sum(int(np.count_nonzero(self._mapped(_VALID)[top : top + step])) for top in tops)
        return known / (height * width)

    def _mapped(self, name: str, mode: Any = "r") -> NDArray[np.uint8]:
        result: NDArray[np.uint8] = np.load(self.folder / name, mmap_mode=mode)
        return result

    def write(
        self,
        rows: slice,
        values: NDArray[np.uint8],
        valid: NDArray[np.bool_] | None,
        columns: slice = slice(None),
        coarse: NDArray[np.uint8] | None = None,
    ) -> None:
        """Write rows: values (1 + K + E, h, w) in 1/256, which count as 0 where not valid.

        With attributes of roads also `coarse` as in `Levels`.
        """
        left, right, _ = columns.indices(self.shape[1])
        region, across = (rows.start, rows.stop, left, right), slice(left, right)
        if valid is not None:
            values = values * valid
        self._mapped(_ROAD, "r+")[rows, columns] = values[0]
        if self.planes:
            self._mapped(_PLANES, "r+")[:, rows, columns] = values[1:]
        if coarse is not None and self.attribute_maps:
            if valid is not None:
                coarse = coarse * valid[thinned(rows), thinned(across)]
            place = coarse_span(rows), coarse_span(across)
            self._mapped(_ATTRIBUTES, "r+")[:, place[0], place[1]] = coarse
        if self.masked:
            self._mapped(_VALID, "r+")[rows, columns] = 1 if valid is None else valid
        self.sums[region] = self._sum(region)

    def _sum(self, region: Region) -> int:
        """The checksum of everything stored for a region."""
        rows, columns = slice(*region[:2]), slice(*region[2:])
        maps = [self._mapped(_ROAD)]
        maps += [*self._mapped(_PLANES)] if self.planes else []
        maps += [self._mapped(_VALID)] if self.masked else []
        total = 0
        for each in maps:
            total = zlib.crc32(np.ascontiguousarray(each[rows, columns]).data, total)
        if self.attribute_maps:
            place = coarse_span(rows), coarse_span(columns)
            for each in self._mapped(_ATTRIBUTES):
                total = zlib.crc32(np.ascontiguousarray(each[place]).data, total)
        return total

    def keep_sums(self) -> None:
        """Save the checksums: their regions are done."""
        table = np.array([(*region, value) for region, value in self.sums.items()], np.int64)
        with atomic_write(self.folder / _SUMS) as temporary, temporary.open("wb") as file:
            np.save(file, table.reshape(-1, 5))

    def read_sums(self) -> None:
        """The checksums that an earlier process wrote down.

        Raises:
            ValueError: they are damaged.
        """
        path = self.folder / _SUMS
        if path.is_file():
            for *region, value in np.load(path, allow_pickle=False).tolist():
                self.sums[region[0], region[1], region[2], region[3]] = value
        elif self.progress()[0]:
            raise ValueError(f"{path} is gone")

    def forget_damaged(self) -> int:
        """The number of damaged regions, which no longer count as written.

        Roads made of them are deleted. The progress of a scan by rows is deleted too: such a scan
        starts again, since only its last row of windows is kept for blending.
        """
        damaged = [region for region, value in self.sums.items() if self._sum(region) != value]
        if damaged:
            (self.folder / _PROGRESS).unlink(missing_ok=True)
            for made in (path for path in self.folder.iterdir() if path.is_dir()):
                shutil.rmtree(made, ignore_errors=True)
        for region in damaged:
            del self.sums[region]
        return len(damaged)

    def keep_only(self, regions: Iterable[Region]) -> None:
        """Forget all regions but these, such as those of other block sizes."""
        kept = set(regions)
        for region in self.sums.keys() - kept:
            del self.sums[region]

    def mark(self, row: int, above: NDArray[np.float32] | None) -> None:
        """Record the number of finished rows of windows, and what they leave for the next."""
        self.keep_sums()
        with atomic_write(self.folder / _PROGRESS) as temporary:
            np.savez(temporary, row=np.array(row), above=_NOTHING if above is None else above)

    def progress(self) -> tuple[int, NDArray[np.float32] | None]:
        """The last record of `mark`; (0, None) at the beginning."""
        path = self.folder / _PROGRESS
        if not path.is_file():
            return 0, None
        with np.load(path) as content:
            return int(content["row"]), content["above"] if content["above"].size else None

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def open_store(
    folder: Path,
    shape: tuple[int, int],
    classes: int,
    masked: bool,
    identity: dict[str, Any],
    evidence: int = 0,
    attributes: int = 0,
) -> Store:
    """The store in `folder`, continued if it has that `identity`, else a new one.

    Regions that are damaged are made again.

    Raises:
        RoadexError: the folder cannot be written, or the disk has no room for it.
    """
    store = Store(folder, shape, classes, masked, evidence, attributes)
    marker = folder / "job.json"
    maps = {"classes": classes, "evidence": evidence, "masked": masked}
    if attributes:
        maps["attributes"] = attributes
    wanted = {"shape": list(shape), **maps, **identity}
    planes = (store.planes, *shape) if store.planes else ()
    sizes: dict[str, tuple[int, ...]] = {_ROAD: shape, _PLANES: planes, _VALID: shape}
    if attributes:
        sizes[_ATTRIBUTES] = (attributes, *(-(-side // COARSE) for side in shape))
    if not masked:
        del sizes[_VALID]
    if read_json(marker) == json.loads(json.dumps(wanted)):
        if _is_whole(store, sizes):
            total = len(store.sums)
            if damaged := store.forget_damaged():
                log.warning("%s: %d of %d parts are damaged and done again", folder, damaged, total)
            return store
        log.warning("%s: the files of an earlier run there are damaged; starting again", folder)
        store.sums.clear()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        for name, size in sizes.items():
            if size:
                _reserve(folder / name, size)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        reason = error.strerror or str(error)
        raise RoadexError(
            f"{folder} cannot be written ({reason}): free some space or choose another out="
        ) from error
    write_json(marker, wanted)
    return store


def _is_whole(store: Store, sizes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether the arrays of a store are there, its progress and its checksums."""
    try:
        for name, size in sizes.items():
            if size and np.load(store.folder / name, mmap_mode="r").shape != size:
                return False
        store.progress()
        store.read_sums()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
    return True


def _reserve(path: Path, shape: tuple[int, ...]) -> None:
    """Zeros with their space allocated now; a full disk would kill the process through a map."""
    np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
