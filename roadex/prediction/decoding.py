"""From the probabilities of an image to its roads, block by block where it is large."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import networkx as nx

from roadex.files import is_whole_archive
from roadex.graph import GraphSettings, probabilities_to_graph
from roadex.graph.blocks import BlockRoads, Lattice, decode_block
from roadex.graph.joining import joined, named_by_place
from roadex.graph.road_table import RoadTable
from roadex.prediction.crew import Crew, Item, Task
from roadex.prediction.place import add_probabilities
from roadex.prediction.store import Store


@dataclass(frozen=True)
class Decoding:
    """How the probabilities of an image become roads.

    Attributes:
        store: the probabilities.
        threshold: road where the probability reaches it.
        gsd: width and height of their pixels in metres.
        block_px: larger images are made into roads in blocks of this size.
    """

    store: Store
    threshold: float
    gsd: tuple[float, float]
    settings: GraphSettings
    block_px: int

    @property
    def lattice(self) -> Lattice:
        """The blocks."""
        return Lattice(self.store.shape, self.block_px // 2 * 2)

    @property
    def folder(self) -> Path:
        """The folder of the roads of blocks until all are done."""
        identity = [self.threshold, self.gsd, asdict(self.settings), self.block_px]
        key = hashlib.sha256(json.dumps(identity, default=str).encode()).hexdigest()[:12]
        return self.store.folder / f"roads-{key}"

    def file(self, block: Item) -> Path:
        """Where the roads of a block are kept."""
        return self.folder / f"{block[0]}-{block[1]}.npz"

    def run(self, block: Item) -> None:
        """Make the roads of a block."""
        store = self.store
        roads = decode_block(
            store.road,
            store.connectivity,
            self.threshold,
            self.gsd,
            self.settings,
            self.lattice,
            block,
        )
        roads.save(self.file(block))

    def missing(self) -> list[Item]:
        """The blocks whose roads are missing or in a damaged file."""
        return [b for b in self.lattice.blocks() if not is_whole_archive(self.file(b))]

    def roads(self) -> Iterator[BlockRoads]:
        """The roads of all blocks that are there."""
        for block in self.lattice.blocks():
            if self.file(block).is_file():
                yield BlockRoads.load(self.file(block))


@dataclass(frozen=True)
class Decoded:
    """The roads of a whole image.

    Attributes:
        roads: in metres in its frame, each with its probability; for an image of several blocks as
            a table, a tenth of the size of a networkx graph.
        undecided: ends at lines between blocks without a counterpart.
        failed: the blocks that failed, by a name for the user, and why.
    """

    roads: nx.MultiGraph | RoadTable
    undecided: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def decode(how: Decoding, crew: Crew, name: str) -> Decoded:
    """The roads of the whole image.

    The roads of blocks of a large image are kept beside the probabilities, so that the same call
    continues from those that are done.

    Args:
        crew: does the blocks.
        name: of the image, for the progress bar.
    """
    store = how.store
    if how.lattice.counts == (1, 1):
        frame = probabilities_to_graph(
            store.road, store.connectivity, how.threshold, how.gsd, how.settings
        )
        frame = named_by_place(frame, how.gsd)
        add_probabilities(frame, store.road, how.gsd)
        return Decoded(frame)
    failed = crew.each(Task(name, how.run), how.missing())
    roads, undecided = joined(how.roads(), store.shape, how.gsd, how.settings)
    left_out = {f"roads of block {block}": reason for block, reason in failed.items()}
    return Decoded(roads, undecided, left_out)
