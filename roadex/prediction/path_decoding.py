"""From the probabilities of an image to its roads by classified pairs of vertices, block by block.

First the vertices of each block are found, then the pairs of each are classified with all vertices
known, and last all pairs become one network. Each block is seen with a halo, so wide that its
content does not depend on anything outside; only what lies in the block is kept.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from roadex.config.graph import DecodingSettings
from roadex.engine.pair_classifier import PairClassifier
from roadex.files import atomic_write, is_whole_archive
from roadex.graph.blocks import TICKS, Lattice
from roadex.graph.joining import named_by_place
from roadex.graph.paths.network import ClassifiedPairs, paths_to_graph
from roadex.graph.paths.vertices import Floats, Ints, Strength, Vertices, apart
from roadex.graph.probability_maps import STEPS
from roadex.models.pair_head import Cell, cells, pixels_of_a_cell
from roadex.prediction.crew import Crew, Item, Task
from roadex.prediction.decoding import Decoded
from roadex.prediction.place import add_probabilities
from roadex.prediction.store import Store

LARGEST_BLOCK_PX = 2048  # cells of all maps at once in 32 bits: a block takes about 300 MB
_FORMAT = 2  # of the files of blocks
_BLUR_M = 15.0  # as far as smoothing reaches
_CHAIN = 12  # spacings from which on vertices do not depend on each other


@dataclass(frozen=True)
class PathDecoding:
    """How the probabilities of an image become roads.

    Attributes:
        store: the probabilities.
        classifier: of pairs of vertices.
        threshold: road where the probability reaches it, for the widths.
        gsd: width and height of their pixels in metres.
        settings: `paths.chance` is known.
        block_px: the most that a block measures.
    """

    store: Store
    classifier: PairClassifier
    threshold: float
    gsd: tuple[float, float]
    settings: DecodingSettings
    block_px: int = LARGEST_BLOCK_PX

    @property
    def lattice(self) -> Lattice:
        """The blocks, which begin where a cell begins."""
        return Lattice(self.store.shape, self.side)

    @property
    def side(self) -> int:
        """Of a block, in pixels."""
        return min(self.block_px, LARGEST_BLOCK_PX) // self.step * self.step

    @property
    def step(self) -> int:
        """Pixels after which a pixel and a cell begin together, in both directions; even."""
        return math.lcm(2, *pixels_of_a_cell(self.gsd))

    @property
    def folder(self) -> Path:
        """Where vertices and pairs of blocks are kept until all are there."""
        identity = [_FORMAT, self.gsd, asdict(self.classifier.head.config), self.side]
        key = hashlib.sha256(json.dumps(identity, default=str).encode()).hexdigest()[:12]
        return self.store.folder / f"paths-{key}"

    def find(self, block: Item) -> None:
        """Find the vertices of a block."""
        head = self.classifier.head
        halo = _CHAIN * head.config.vertices.spacing_m + _BLUR_M
        maps, cell, corner = self._cells(block, halo, head.point_maps)
        found = head.find(self._part(maps, cell, corner))
        points = found.points + corner * np.array(self.gsd)
        own = self._owned(points, block)
        assert found.ranks is not None
        ranks = found.ranks[own]
        _save(
            self._file("vertices", block), points=points[own], kinds=found.kinds[own], ranks=ranks
        )

    def classify_pairs(self, block: Item, vertices: Vertices) -> None:
        """Classify the pairs of a block, given all vertices of the image."""
        config = self.classifier.head.config
        reach = (config.layers + 2) * config.vertices.reach_m
        near = self._near(vertices.points, block, reach)
        if not len(near):
            _save(self._file("pairs", block), pairs=np.zeros((0, 2), int), chances=np.zeros(0))
            return
        maps, cell, corner = self._cells(block, reach + _BLUR_M, config.evidence)
        shift = corner * np.array(self.gsd)
        local = Vertices(vertices.points[near] - shift, vertices.kinds[near])
        classified = self.classifier.classified(maps, cell, local)
        pairs = near[classified.pairs]
        middles = vertices.points[pairs].mean(axis=1) if len(pairs) else np.zeros((0, 2))
        own = self._owned(middles, block)
        _save(self._file("pairs", block), pairs=pairs[own], chances=classified.chances[own])

    def missing(self, what: str) -> list[Item]:
        """The blocks whose vertices or pairs are not there, or in a file that is damaged."""
        blocks = self.lattice.blocks()
        return [block for block in blocks if not is_whole_archive(self._file(what, block))]

    def parts(self, what: str) -> Iterator[dict[str, NDArray[Any]]]:
        """The vertices or pairs of all blocks that are there."""
        for block in self.lattice.blocks():
            if self._file(what, block).is_file():
                with np.load(self._file(what, block), allow_pickle=False) as content:
                    yield {name: content[name] for name in content.files}

    def vertices(self) -> Vertices:
        """Those of all blocks by their ranks, as in the whole, without the later of near ones."""
        parts = list(self.parts("vertices"))
        points = np.concatenate([np.zeros((0, 2)), *(part["points"] for part in parts)])
        kinds = np.concatenate([np.zeros(0, np.int64), *(part["kinds"] for part in parts)])
        ranks = [part["ranks"] for part in parts]
        order = np.argsort(np.concatenate([np.zeros(0, np.uint64), *ranks]), kind="stable")
        points, kinds = points[order], kinds[order]
        # They were found farther apart, and then moved by half a cell at most.
        kept = apart(points, self.classifier.head.config.vertices.spacing_m * (1 - 1e-6))
        return Vertices(points[kept], kinds[kept])

    def classified(self, vertices: Vertices) -> ClassifiedPairs:
        """The pairs of all blocks."""
        parts = list(self.parts("pairs"))
        pairs = np.concatenate([np.zeros((0, 2), np.int64), *(part["pairs"] for part in parts)])
        chances = np.concatenate([np.zeros(0), *(part["chances"] for part in parts)])
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        return ClassifiedPairs(vertices, pairs[order], chances[order])

    def _cells(self, block: Item, halo_m: float, evidence_maps: int) -> tuple[Tensor, Cell, Floats]:
        """The cells around a block, their size, and the corner of their first, x, y in pixels."""
        halo = self.step * int(np.ceil(halo_m / min(self.gsd) / self.step))
        rows, columns = self.lattice.window(block, halo)
        road = _unit(self.store.road[rows, columns])
        ways = self.store.connectivity
        evidence = self.store.evidence if evidence_maps else None
        maps, cell = cells(
            road[None],
            None if ways is None else _unit(ways[:, rows, columns])[None],
            None if evidence is None else _unit(evidence[:evidence_maps, rows, columns])[None],
            self.gsd,
        )
        return maps.to(self.classifier.device), cell, np.array([columns.start, rows.start], float)

    def _part(self, maps: Tensor, cell: Cell, corner: Floats) -> Strength:
        """The cells around a block as a part of the image."""
        found = self.classifier.head.strength(maps[0], cell)
        left, top = np.rint(corner * self.gsd / cell).astype(int).tolist()
        right, bottom = left + found.ridge.shape[1], top + found.ridge.shape[0]
        rows, columns = (
            -(-n // f)
            for n, f in zip(self.store.shape, pixels_of_a_cell(self.gsd)[::-1], strict=True)
        )
        sides = top == 0, bottom >= rows, left == 0, right >= columns
        return replace(found, origin=(top, left), sides=sides)

    def _owned(self, points: Floats, block: Item) -> NDArray[np.bool_]:
        ticks = np.floor(points / np.array(self.gsd) * TICKS).astype(np.int64)
        own: NDArray[np.bool_] = (self.lattice.owners(ticks) == block).all(axis=1)
        return own

    def _near(self, points: Floats, block: Item, reach_m: float) -> Ints:
        rows, columns = self.lattice.window(block)
        low = np.array([columns.start, rows.start]) * self.gsd - reach_m
        high = np.array([columns.stop, rows.stop]) * self.gsd + reach_m
        return np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))

    def _file(self, what: str, block: Item) -> Path:
        return self.folder / f"{what}-{block[0]}-{block[1]}.npz"


def decode_paths(how: PathDecoding, crew: Crew, name: str) -> Decoded:
    """The roads of the whole image, as `decode` gives them.

    Vertices and pairs of blocks are kept beside the probabilities, so that the same call continues
    from those that are done.
    """
    failed = crew.each(Task(f"{name}: vertices", how.find), how.missing("vertices"))
    vertices = how.vertices()
    if not failed:
        task = Task(f"{name}: pairs", how.classify_pairs, vertices)
        failed = crew.each(task, how.missing("pairs"))
    classified, road = how.classified(vertices), how.store.road
    graph = paths_to_graph(
        classified, road, how.threshold, how.gsd, how.settings, how.store.connectivity
    )
    graph = named_by_place(graph, how.gsd)
    add_probabilities(graph, road, how.gsd)
    left_out = {f"roads of block {block}": reason for block, reason in failed.items()}
    return Decoded(graph, failed=left_out)


# Levels in 1/256 as numbers from 0 to 1, in the middle of their step; 0 stays 0.
_VALUES = np.concatenate([[0.0], (np.arange(1, STEPS) + 0.5) / STEPS]).astype(np.float32)


def _unit(levels: NDArray[np.uint8]) -> Tensor:
    """Levels (..., h, w) as probabilities."""
    planes = levels.reshape(-1, *levels.shape[-2:])
    values = [cv2.LUT(np.ascontiguousarray(plane), _VALUES) for plane in planes]
    return torch.from_numpy(np.stack(values).reshape(levels.shape))


def _save(path: Path, **arrays: NDArray[Any]) -> None:
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
