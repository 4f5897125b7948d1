"""Schema of the group `dataset`."""

from __future__ import annotations

from dataclasses import dataclass, field

from omegaconf import MISSING

from roadex.config.graph import GraphSettings
from roadex.config.limits import bounded, choice, needed
from roadex.config.world import WorldSettings
from roadex.errors import RoadexError

RGB_BANDS = 3


@dataclass
class SplitConfig:
    """How tiles are divided: by lists of names, else by the SHA-256 of each name.

    `lists` is a folder with train.txt, validation.txt and test.txt (one tile name per line), or the
    name of lists that come with the project (conf/splits). Without it there are two rules. `hash`
    puts a tile where its hash falls among the shares, so that a tile keeps its split when others
    are added. `ranked` sorts the tiles by hash and cuts the order at the shares, so that the counts
    of a published split are met exactly.
    """

    lists: str | None = None
    rule: str = choice("hash", "hash", "ranked")
    train: float = bounded(0.8, above=0, most=1)
    validation: float = bounded(0.1, above=0, most=1)
    test: float = bounded(0.1, above=0, most=1)
    # Cross-validation, fold=0,1,2,3,4 in a sweep: the tiles of training and validation are dealt
    # out to `folds` parts by the hash of their names (or those of their cities), part number `fold`
    # validates and the others train; test tiles stay apart. Null: the lists or the rule as is.
    fold: int | None = bounded(None, least=0)
    folds: int = bounded(5, least=2)


@dataclass
class RoadWidthConfig:
    """Half-widths in metres of the road surface around centre lines, by the type of the road.

    Types 1, 2 and 5 of SpaceNet were measured on its published masks; 3, 4 and 7 are interpolated.
    The names are OpenStreetMap's, with the widths of SpaceNet's types of the same meaning.
    """

    # The attributes of a line that may hold its type, the first known one counts.
    attributes: list[str] = field(default_factory=lambda: ["road_type", "highway"])
    by_type: dict[str, float] = field(
        default_factory=lambda: {
            "1": 6.5,
            "2": 6.0,
            "3": 5.0,
            "4": 4.0,
            "5": 3.0,
            "6": 3.0,
            "7": 2.0,
            "motorway": 6.5,
            "trunk": 6.5,
            "primary": 6.0,
            "secondary": 5.0,
            "tertiary": 4.0,
            "residential": 3.0,
            "unclassified": 3.0,
            "service": 3.0,
            "track": 2.0,
        }
    )
    other_m: float = bounded(3.0, above=0)


@dataclass
class StretchConfig:
    """From more than 8 bits to 8: percentiles of a city's training tiles become 0 and 255."""

    low_percent: float = bounded(2.0, least=0, most=50)
    high_percent: float = bounded(98.0, least=50, most=100)
    # Every n-th pixel along both axes is counted.
    every: int = bounded(4, least=1)


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
    # Statistics of each band / 255; null measures them on the training tiles.
    mean: list[float] | None = None
    std: list[float] | None = None
    labels: LabelConfig = field(default_factory=LabelConfig)
    splits: SplitConfig = field(default_factory=SplitConfig)
    # Where prepared tiles are kept between runs.
    cache: str = "~/.cache/roadex"
    # Processes that prepare tiles; 0 takes one per core.
    workers: int = bounded(0, least=0)
    # Of several datasets in one training: the factor on the crops that an epoch draws.
    weight: float = bounded(1.0, above=0)
    # The following settings are those of further datasets. The splits that are used.
    use: list[str] = field(default_factory=lambda: ["train", "validation", "test"])
    # Whether crops are resampled to the pixel size of the main dataset.
    resample: bool = True
    # Whether images are normalised with the statistics of the main dataset or their own.
    normalize: str = choice("shared", "shared", "own")

    def __post_init__(self) -> None:
        if self.band_count < RGB_BANDS:
            raise RoadexError(
                f"dataset.bands={getattr(self, 'bands', None)}: name three or more, red, green and "
                "blue first"
            )
        if (self.mean is None) != (self.std is None):
            raise RoadexError("dataset.mean and dataset.std: set both or neither")
        if self.mean is None or self.std is None:
            return
        if not len(self.mean) == len(self.std) == self.band_count or min(self.std) <= 0:
            raise RoadexError(
                f"dataset.mean and dataset.std: a value each for {self.band_count} bands, and "
                "deviations above 0"
            )

    @property
    def band_count(self) -> int:
        """Bands of its images, as a model sees them."""
        return RGB_BANDS if self.band_numbers is None else len(self.band_numbers)

    @property
    def band_numbers(self) -> tuple[int, ...] | None:
        """The bands that are named for its files; None: red, green and blue, found by rule."""
        bands: list[int] | None = getattr(self, "bands", None)
        return None if bands is None else tuple(bands)


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
    """Any folder of images, with masks or GeoJSON lines, paired by file stem less the suffixes.

    `raw` stands for its sub-folders images and masks, or images and lines. Lines need GeoTIFFs;
    `lines` may be one file for all images, such as an OpenStreetMap extract.
    """

    kind: str = "folder"
    # Metres per pixel, to which georeferenced images are resampled; 0: from their georeference.
    gsd: float = bounded(1.0, least=0)
    # Folders are often small: each split gets its share of the tiles, however few there are.
    splits: SplitConfig = field(default_factory=lambda: SplitConfig(rule="ranked"))
    raw: str | None = None
    images: str | None = None
    masks: str | None = None
    lines: str | None = None
    image_suffix: str = ""
    # The suffix of masks or lines.
    mask_suffix: str = ""
    # A mask pixel above this value is road, or one of `road_values`; null for both: from the
    # values, where they are unambiguous.
    road_above: int | None = bounded(None, least=0, most=65534)
    road_values: list[int] | None = None
    widths: RoadWidthConfig = field(default_factory=RoadWidthConfig)
    # Metres of a lane: the width of roads that have lanes but no width, in one file for all
    # images.
    lane_m: float = bounded(3.5, above=0)
    stretch: StretchConfig = field(default_factory=StretchConfig)
    # The numbers of the bands of GeoTIFFs, from 1: red, green and blue, then any others, such as
    # near infrared; null: red, green and blue, which the file names or their count gives.
    bands: list[int] | None = None


@dataclass
class DeepGlobeConfig(DatasetConfig):
    """A DeepGlobe 2018 road folder as downloaded: ID_sat.jpg beside ID_mask.png."""

    kind: str = "deepglobe"
    # Two names of one folder.
    raw: str | None = None
    root: str | None = needed()
    gsd: float = bounded(0.5, above=0)
    road_above: int | None = bounded(None, least=0, most=65534)
    road_values: list[int] | None = None


@dataclass
class MassachusettsConfig(DatasetConfig):
    """The Massachusetts Roads dataset: train, valid and test folders of sat and map images."""

    kind: str = "massachusetts"
    raw: str = MISSING
    road_above: int | None = bounded(None, least=0, most=65534)
    road_values: list[int] | None = None
    # White areas of at least this size have no data: neither trained on nor scored.
    white_area_m2: float = bounded(1000.0, above=0)


@dataclass
class SpaceNetConfig(DatasetConfig):
    """SpaceNet 3 or 5 roads: areas of interest with GeoTIFFs and GeoJSON centre lines."""

    kind: str = "spacenet"
    raw: str = MISSING
    # Tiles are resampled to square pixels of this size.
    gsd: float = bounded(0.3, above=0)
    # The folder of the images (PS-RGB, RGB-PanSharpen, ...); null takes the sharpest one found.
    product: str | None = None
    # The numbers of the bands, from 1: red, green and blue, then any others, such as near
    # infrared; null: red, green and blue, which the file names or their count gives.
    bands: list[int] | None = None
    widths: RoadWidthConfig = field(default_factory=RoadWidthConfig)
    stretch: StretchConfig = field(default_factory=StretchConfig)


@dataclass
class CityScaleConfig(DatasetConfig):
    """City-Scale: region_N_sat.png with region_N_refine_gt_graph.p."""

    kind: str = "cityscale"
    raw: str = MISSING
    widths: RoadWidthConfig = field(default_factory=RoadWidthConfig)


@dataclass
class RoadTracerConfig(DatasetConfig):
    """RoadTracer: CITY_X_Y_sat.png with CITY.graph."""

    kind: str = "roadtracer"
    raw: str = MISSING
    gsd: float = bounded(0.6, above=0)
    # The side of an image, the unit of X and Y.
    tile_px: int = bounded(4096, least=32)
    widths: RoadWidthConfig = field(default_factory=RoadWidthConfig)
