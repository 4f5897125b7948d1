"""The built-in world as a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import networkx as nx
import numpy as np

from roadex.config.dataset import SplitConfig, SyntheticConfig
from roadex.config.world import WORLD_VERSION, WorldSettings
from roadex.data.sources.base import Finding
from roadex.data.splits import SPLITS, Splits, folded
from roadex.data.stretch import Calibration
from roadex.data.tile import Tile
from roadex.world import make_tile
from roadex.world.roads import tags_of_road


@dataclass(frozen=True)
class SyntheticSource:
    """Tiles of the procedural world: tile k of a seed is the same in whatever split it stands."""

    world: WorldSettings
    seed: int
    counts: dict[str, int]
    division: SplitConfig = field(default_factory=SplitConfig)

    def splits(self, needed: Sequence[str] = SPLITS) -> Splits:
        """Consecutive tile numbers: training first, then validation, then test; then folds."""
        splits: Splits = {}
        start = 0
        for split, count in self.counts.items():
            splits[split] = [f"{index:06d}" for index in range(start, start + count)]
            start += count
        return folded(splits, self.division)

    def read(self, name: str) -> Tile:
        """Make the tile."""
        tile = make_tile(self.world, self.seed, int(name))
        tagged = partial(_tagged, tile.by_class)
        return Tile(tile.image, tile.mask.astype(np.uint8), tile.graph, tagged=tagged)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """None: a world has no files."""
        return ()

    def group(self, name: str) -> str:
        """One group: the world."""
        return ""

    def histogram(self, name: str) -> None:
        """Nothing: its tiles have 8 bits."""

    def calibrated(self, calibration: Calibration) -> SyntheticSource:
        """Itself: its tiles have 8 bits."""
        return self

    def identity(self) -> dict[str, Any]:
        """Version, seed and settings of the world; not the counts, so that worlds can grow."""
        return {"version": WORLD_VERSION, "seed": self.seed, "world": asdict(self.world)}

    def notes(self) -> list[str]:
        """The size and seed of the world."""
        size = self.world.size_px
        return [f"{sum(self.counts.values())} tiles of {size}x{size} px, world seed {self.seed}"]


def _tagged(graph: nx.MultiGraph) -> nx.MultiGraph:
    """The roads of a tile with the tags that they would have in OpenStreetMap."""
    copy = graph.copy()
    for *_, data in copy.edges(data=True):
        data |= tags_of_road(data["road_class"], data["width_m"])
    return copy


def synthetic_source(config: SyntheticConfig) -> SyntheticSource:
    """The world of `config`."""
    counts = {
        "train": config.train_tiles,
        "validation": config.validation_tiles,
        "test": config.test_tiles,
    }
    return SyntheticSource(config.world, config.world_seed, counts, config.splits)
