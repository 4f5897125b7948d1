"""Schema of the group `dataset`."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from roadex.config.limits import bounded
from roadex.data.synthetic.settings import WorldSettings
from roadex.graph.settings import GraphSettings


@dataclass
class SplitConfig:
    """How tiles are divided: by lists of names, else by the hash of the name.

    `lists` is a folder with train.txt, validation.txt and test.txt (one tile name per line), or the
    name of lists that come with the project (`epfl`). Without it each tile goes where the
    SHA-256 of its name falls among the shares, so a tile keeps its split when others are added.
    """

    lists: str | None = None
    train: float = bounded(0.8, above=0, most=1)
    validation: float = bounded(0.1, above=0, most=1)
    test: float = bounded(0.1, above=0, most=1)


@dataclass
class LabelConfig:
    """The labels made from a tile's road mask and graph (lengths in metres)."""

    # Width of a line in the connectivity map, and diameter of a node's disc as a share of it.
    line_width_m: float = bounded(6.0, above=0)
    disc_ratio: float = bounded(0.85, above=0)
    # A line that ends this near the border was cut by it and gets no dead-end disc.
    border_m: float = bounded(1.0, least=0)
    # How the graph is taken from the mask where a dataset has no graph.
    graph: GraphSettings = field(default_factory=GraphSettings)


@dataclass
class DatasetConfig:
    """What all datasets share. `kind` names the reader (roadex/data/sources)."""

    kind: str = MISSING
    # Ground sampling distance: metres per pixel.
    gsd: float = bounded(1.0, above=0)
    crop: int = bounded(256, least=32)
    # Random crops drawn from each training tile in an epoch.
    crops_per_tile: int = bounded(1, least=1)
    # Per-channel statistics of RGB / 255; null measures them on the training tiles.
    mean: list[float] | None = None
    std: list[float] | None = None
    labels: LabelConfig = field(default_factory=LabelConfig)
    splits: SplitConfig = field(default_factory=SplitConfig)
    # Where prepared tiles are kept between runs.
    cache: str = "~/.cache/roadex"
    # Processes that prepare tiles; 0 takes one per core.
    workers: int = bounded(0, least=0)


@dataclass
class SyntheticConfig(DatasetConfig):
    """The built-in procedural world: `counts` tiles of `world` drawn from `world_seed`."""

    kind: str = "synthetic"
    world: WorldSettings = field(default_factory=WorldSettings)
    world_seed: int = bounded(0, least=0)
    train_tiles: int = bounded(64, least=1)
    validation_tiles: int = bounded(12, least=1)
    test_tiles: int = bounded(24, least=1)


@dataclass
class FolderConfig(DatasetConfig):
    """Any folder of images with a folder of masks, paired by file stem less the suffixes."""

    kind: str = "folder"
    images: str = MISSING
    masks: str = MISSING
    image_suffix: str = ""
    mask_suffix: str = ""
    # A mask pixel above this 8-bit value is road.
    road_above: int = bounded(127, least=0, most=254)


@dataclass
class DeepGlobeConfig(DatasetConfig):
    """A DeepGlobe 2018 road folder as downloaded: ID_sat.jpg beside ID_mask.png."""

    kind: str = "deepglobe"
    root: str = MISSING
    gsd: float = bounded(0.5, above=0)
    road_above: int = bounded(127, least=0, most=254)
