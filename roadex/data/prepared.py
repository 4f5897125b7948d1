"""Prepared tiles: arrays that a crop can be cut from without decoding the whole tile."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.config.dataset import LabelConfig
from roadex.config.labels import ATTRIBUTE_NAMES, IGNORE
from roadex.data.splits import Splits
from roadex.data.stretch import Calibration
from roadex.data.tile import Tile
from roadex.errors import RoadexError
from roadex.files import atomic_write, write_json
from roadex.graph import mask_to_graph
from roadex.graph.attribute_labels import attribute_maps, known_attributes, labels_of
from roadex.graph.formats import read_network, write_network
from roadex.graph.network import empty_network, total_length
from roadex.graph.orientation import direction_map
from roadex.graph.paths.segments import Segments, segments_of
from roadex.graph.raster import connectivity_map

PREPARED_VERSION = 2
_ATTRIBUTES_VERSION = 1
ARRAYS = ("image", "mask", "connectivity")
CONTRAST = "contrast.json"
# What a road has besides its attributes.
_KEPT = ("geometry", "length", "width_m", "layer")
# The name of the first of several datasets.
MAIN = "main"
_HISTOGRAM_PIXELS = 1 << 23  # OpenCV counts in 32-bit floats, exact to twice that


@dataclass(frozen=True)
class TileRecipe:
    """The settings that turn a raw tile into a prepared one.

    Attributes:
        attributes: whether the attributes of roads are labels, too.
    """

    gsd: float
    classes: int
    labels: LabelConfig
    attributes: bool = False

    def identity(self) -> dict[str, Any]:
        """The settings, for the key of the prepared data; attributes only if wanted."""
        settings = {"prepared_version": PREPARED_VERSION, **asdict(self)}
        wanted = settings.pop("attributes")
        return {**settings, "attributes": _ATTRIBUTES_VERSION} if wanted else settings


@dataclass(frozen=True)
class PreparedTile:
    """Memory-mapped arrays of one tile.

    Attributes:
        image: (H, W, bands) uint8, red, green and blue first.
        mask: (H, W) uint8, 1 road, 0 not, 255 ignore.
        connectivity: (H, W) uint8, 0 background, 1 dead end, 2 along a road, 3 three ways, ...,
            255 ignore.
        directions: (H, W) uint8 as in roadex/graph/orientation.py; None if not asked for.
        roads: (M, 6) as in roadex/graph/paths/segments.py; None if not asked for.
        attributes: (4, H, W) uint8 as in roadex/graph/attribute_labels.py; None likewise.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    connectivity: NDArray[np.uint8]
    directions: NDArray[np.uint8] | None = None
    roads: Segments | None = None
    attributes: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Member:
    """One of several datasets of a training.

    Attributes:
        gsd: its metres per pixel.
        draws: crops drawn from each of its training tiles in an epoch, on average.
        zoom: by which its crops are magnified to the pixel size of the training.
        mean, std: of its own bands / 255, to which its images are normalised; None: those of all.
    """

    folder: Path
    gsd: float
    draws: float
    zoom: float = 1.0
    mean: list[float] | None = None
    std: list[float] | None = None


@dataclass(frozen=True)
class PreparedDataset:
    """A dataset ready for training.

    Attributes:
        folder: where its tiles are.
        splits: tile names by split.
        gsd: metres per pixel.
        classes: connectivity classes.
        mean, std: of each band / 255.
        crops_per_tile: random crops drawn from each training tile in an epoch.
        members: of several datasets each by its name, the first one's is `MAIN`.
        homes: member and its name for each tile that is not of the first dataset.
        cities: the city or other area of each tile, where the dataset says it.
    """

    folder: Path
    splits: Splits
    gsd: float
    classes: int
    mean: list[float]
    std: list[float]
    crops_per_tile: int = 1
    members: dict[str, Member] = field(default_factory=dict)
    homes: dict[str, tuple[str, str]] = field(default_factory=dict)
    cities: dict[str, str] = field(default_factory=dict)

    def tile(self, name: str) -> PreparedTile:
        """The arrays of a tile, mapped and not read.

        Raises:
            RoadexError: one of its files is gone or damaged.
        """
        where = self.tile_folder(name)
        image, mask, connectivity = (_mapped(where / f"{key}.npy") for key in ARRAYS)
        return PreparedTile(image, mask, connectivity)

    def with_directions(self, name: str) -> PreparedTile:
        """The same with the directions of the roads, which are drawn on their first use."""
        tile = self.tile(name)
        path = self.tile_folder(name) / "directions.npy"
        if not path.is_file():
            rows, columns = tile.mask.shape
            codes = direction_map(self.graph(name), (rows, columns), self.member(name).gsd)
            codes[tile.mask == IGNORE] = IGNORE
            with atomic_write(path) as temporary:
                np.save(temporary, codes)
        return replace(tile, directions=_mapped(path))

    def roads(self, name: str) -> Segments:
        """The true roads of a tile as segments in pixels, which are made on their first use."""
        path = self.tile_folder(name) / "roads.npy"
        if not path.is_file():
            with atomic_write(path) as temporary:
                np.save(temporary, segments_of(self.graph(name), self.member(name).gsd))
        return np.array(_mapped(path), dtype=np.float64)

    def attributes(self, name: str) -> NDArray[np.uint8]:
        """The labels (4, H, W) of the attributes of roads, mapped; see attribute_labels.py.

        Raises:
            RoadexError: the dataset was not prepared with them.
        """
        return _mapped(self.tile_folder(name) / "attributes.npy")

    def tagged(self, name: str) -> nx.MultiGraph:
        """The true roads with the attributes that are known, in metres in the image frame."""
        return read_network(self.tile_folder(name) / "attributes.geojson")

    def graph(self, name: str) -> nx.MultiGraph:
        """The true road graph in metres, in the image frame."""
        return read_network(self.tile_folder(name) / "graph.geojson")

    def first_tiles(self) -> PreparedDataset:
        """The same with one tile each to validate and to test on."""
        first = {split: self.splits[split][:1] for split in ("validation", "test")}
        return replace(self, splits={**self.splits, **first})

    def with_split(self, name: str) -> PreparedDataset:
        """The same with one split of that name, which holds all tiles."""
        names = sorted(name for members in self.splits.values() for name in members)
        return replace(self, splits={**self.splits, name: names})

    def member_key(self, name: str) -> str:
        """The name of the dataset that a tile is of."""
        return self._home(name)[0]

    def member(self, name: str) -> Member:
        """The dataset that a tile is of."""
        first = Member(self.folder, self.gsd, self.crops_per_tile)
        return self.members.get(self.member_key(name), first)

    def tile_folder(self, name: str) -> Path:
        """Where the files of a tile are."""
        return self.member(name).folder / self._home(name)[1]

    def _home(self, name: str) -> tuple[str, str]:
        return self.homes.get(name, (MAIN, name))

    def training_draws(self, epoch: int = 0) -> list[str]:
        """The training tiles, each as often as it is drawn in an epoch.

        If a dataset's weight gives no whole number of draws, its tiles take turns from epoch to
        epoch. Every epoch has the same length.
        """
        names: dict[str, list[str]] = {}
        for name in self.splits["train"]:
            names.setdefault(self.member_key(name), []).append(name)
        return [name for tiles in names.values() for name in self._draws(tiles, epoch)]

    def _draws(self, tiles: list[str], epoch: int) -> list[str]:
        draws = self.member(tiles[0]).draws
        if draws == int(draws):
            return [name for name in tiles for _ in range(int(draws))]
        count = max(1, round(draws * len(tiles)))
        return [tiles[(epoch * count + place) % len(tiles)] for place in range(count)]

    def contrast(self) -> Calibration:
        """How its images of more than 8 bits became 8, by city; empty where none had more."""
        return read_contrast(self.folder)


def read_contrast(folder: Path) -> Calibration:
    """The contrast that lies beside prepared tiles."""
    path = folder / CONTRAST
    content: Calibration = json.loads(path.read_text()) if path.is_file() else {}
    return content


def _mapped(path: Path) -> NDArray[np.uint8]:
    try:
        array: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise RoadexError(
            f"{path} is gone or damaged: remove the folder {path.parent} and give the same command "
            "again, which prepares it again"
        ) from error
    return array


def prepare_tile(tile: Tile, recipe: TileRecipe, folder: Path) -> None:
    """Write the arrays, the graph and the statistics of one tile into `folder`."""
    graph, origin = tile.graph, "vectors"
    if graph is None:
        graph, origin = mask_to_graph(tile.mask == 1, recipe.gsd, recipe.labels.graph), "mask"
    connectivity = connectivity_map(
        graph,
        (tile.mask.shape[0], tile.mask.shape[1]),
        recipe.gsd,
        recipe.labels.line_width_m,
        classes=recipe.classes,
        disc_ratio=recipe.labels.disc_ratio,
        border_m=recipe.labels.border_m,
    )
    connectivity[tile.mask == IGNORE] = IGNORE
    folder.mkdir(parents=True)
    for key, array in zip(ARRAYS, (tile.image, tile.mask, connectivity), strict=True):
        np.save(folder / f"{key}.npy", array)
    write_network(graph, folder / "graph.geojson")
    road_m = total_length(graph)
    facts = {"graph_from": origin, "road_m": round(road_m, 3), "notes": list(tile.notes)}
    if recipe.attributes:
        facts["attributes_m"] = _write_attributes(tile, recipe.gsd, folder)
    write_json(folder / "tile.json", {**facts, **_statistics(tile, connectivity)})


def _write_attributes(tile: Tile, gsd: float, folder: Path) -> dict[str, float]:
    """Write the roads with their known attributes, and the labels; returns metres known of each."""
    graph = empty_network() if tile.tagged is None else tile.tagged()
    known = dict.fromkeys(ATTRIBUTE_NAMES, 0.0)
    for *_, data in graph.edges(data=True):
        traits = known_attributes(data)
        kept = {name: data[name] for name in _KEPT if name in data}
        data.clear()
        data.update(kept | traits)
        for name, label in labels_of(traits).items():
            known[name] += data["length"] if label != IGNORE else 0.0
    np.save(folder / "attributes.npy", attribute_maps(graph, tile.mask, gsd))
    write_network(graph, folder / "attributes.geojson")
    return {name: round(metres, 3) for name, metres in known.items()}


def _statistics(tile: Tile, connectivity: NDArray[np.uint8]) -> dict[str, Any]:
    """Size, class counts, and sums over the scored pixels from which mean and std follow."""
    scored = np.not_equal(tile.mask, IGNORE).view(np.uint8)
    counts = np.array(
        [_histogram(tile.image[..., band], scored) for band in range(tile.image.shape[2])]
    )
    levels = np.arange(256) / 255
    return {
        "height": tile.image.shape[0],
        "width": tile.image.shape[1],
        "pixels": int(counts[0].sum()),
        "road_pixels": int(np.count_nonzero(tile.mask == 1)),
        "connectivity_pixels": _class_counts(connectivity),
        "sum": (counts @ levels).tolist(),
        "sum_of_squares": (counts @ levels**2).tolist(),
    }


def _class_counts(connectivity: NDArray[np.uint8]) -> list[int]:
    counts = _histogram(connectivity, None)[:IGNORE]
    result: list[int] = counts[: int(counts.nonzero()[0].max(initial=0)) + 1].tolist()
    return result


def _histogram(values: NDArray[np.uint8], where: NDArray[np.uint8] | None) -> NDArray[np.int64]:
    """How often each of 256 values occurs in (H, W), where a mask is not 0."""
    rows = max(1, _HISTOGRAM_PIXELS // values.shape[1])
    total = np.zeros(256, dtype=np.int64)
    for top in range(0, values.shape[0], rows):
        part = np.ascontiguousarray(values[top : top + rows])
        mask = None if where is None else where[top : top + rows]
        total += cv2.calcHist([part], [0], mask, [256], [0, 256]).ravel().astype(np.int64)
    return total
