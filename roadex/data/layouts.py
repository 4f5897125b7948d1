"""The synthetic world written as the published datasets are laid out, in parallel and atomically.

SpaceNet's pixels are square in degrees and so oblong on the ground, as published: the tile is
stretched along its rows; two areas lie at different latitudes and have different contrasts.

A world tile is a RoadTracer city of one image, the one left of the graph's origin, so that
coordinates are negative as they are in the published graphs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import cv2
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.config.paths import config_dir
from roadex.config.synthesize import SynthesizeConfig
from roadex.data.splits import SPLITS, read_list
from roadex.errors import RoadexError
from roadex.files import user_path, write_json, write_text
from roadex.geo.crs import WGS84
from roadex.geo.grid import Georeference
from roadex.graph.formats import write_network
from roadex.graph.frame import shifted
from roadex.graph.network import oriented
from roadex.parallel import over_tiles
from roadex.rasters.pictures import write_image
from roadex.rasters.rasters import write_raster
from roadex.world import WORLD_VERSION, SyntheticTile, WorldSettings, make_tile
from roadex.world.roads import lanes_of_road

# Tile, its number, and the folder of the dataset. The label is written last.
Writer = Callable[[SyntheticTile, int, Path], None]
# The label file of a tile number, by which a later call sees that the tile is complete.
Label = Callable[[int, Path], Path]


@dataclass(frozen=True)
class Layout:
    """The files of a dataset, and the size and resolution that it publishes its tiles in.

    Attributes:
        most: how many tiles the names of the dataset reach for; None: any number.
    """

    write: Writer
    label: Label
    size_px: int
    gsd: float
    most: int | None = None


def _cityscale_label(index: int, out: Path) -> Path:
    return out / f"region_{index}_refine_gt_graph.p"


def _write_cityscale(tile: SyntheticTile, index: int, out: Path) -> None:
    write_image(out / f"region_{index}_sat.png", tile.image)
    write_network(tile.graph, _cityscale_label(index, out), tile.gsd)


CITYSCALE = Layout(_write_cityscale, _cityscale_label, size_px=2048, gsd=1.0, most=180)


def _deepglobe_label(index: int, out: Path) -> Path:
    return out / "train" / f"{index}_mask.png"


def _write_deepglobe(tile: SyntheticTile, index: int, out: Path) -> None:
    write_image(out / "train" / f"{index}_sat.jpg", tile.image)
    write_image(
        _deepglobe_label(index, out), np.repeat(tile.mask[..., None] * np.uint8(255), 3, axis=2)
    )


DEEPGLOBE = Layout(_write_deepglobe, _deepglobe_label, size_px=1024, gsd=0.5)


_MASSACHUSETTS_SPLITS = {8: "valid", 9: "test"}  # by the last digit of the number
_WHITE_EVERY = 5


def _massachusetts_folder(index: int, out: Path) -> Path:
    return out / _MASSACHUSETTS_SPLITS.get(index % 10, "train")


def _massachusetts_label(index: int, out: Path) -> Path:
    return _massachusetts_folder(index, out) / "map" / f"{index:08d}_15.tif"


def _write_massachusetts(tile: SyntheticTile, index: int, out: Path) -> None:
    image = tile.image
    if index % _WHITE_EVERY == 0:  # the survey ended here
        image = image.copy()
        image[:, image.shape[1] * 2 // 3 :] = 255
    write_image(_massachusetts_folder(index, out) / "sat" / f"{index:08d}_15.tiff", image)
    write_image(_massachusetts_label(index, out), tile.mask * np.uint8(255))


MASSACHUSETTS = Layout(_write_massachusetts, _massachusetts_label, size_px=1500, gsd=1.0)


def _roadtracer_city(index: int) -> str:
    """The published cities, a training, a validation and a test city in turn while they last."""
    lists = [read_list(config_dir() / "splits" / "roadtracer" / f"{s}.txt") for s in SPLITS]
    cities = [city for city in chain.from_iterable(zip_longest(*lists)) if city]
    return cities[index]


def _roadtracer_label(index: int, out: Path) -> Path:
    return out / "graphs" / f"{_roadtracer_city(index)}.graph"


def _write_roadtracer(tile: SyntheticTile, index: int, out: Path) -> None:
    write_image(out / "imagery" / f"{_roadtracer_city(index)}_-1_0_sat.png", tile.image)
    side = tile.image.shape[1] * tile.gsd
    write_network(shifted(tile.graph, -side, 0.0), _roadtracer_label(index, out), tile.gsd)


ROADTRACER = Layout(_write_roadtracer, _roadtracer_label, size_px=4096, gsd=0.6, most=40)


ROAD_TYPES = {
    "motorway": 1,
    "arterial": 2,
    "collector": 4,
    "residential": 5,
    "service": 6,
    "track": 7,
}
_CRS84 = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
_PER_ROW = 50  # tiles of an area side by side


@dataclass(frozen=True)
class _Area:
    """An area of interest: where it lies and how its sensor maps 8 bits to 11, per band."""

    name: str
    corner: tuple[float, float]
    darkest: tuple[int, int, int]
    gain: tuple[float, float, float]


_AREAS = (
    _Area("AOI_1_Southern", (-115.25, 36.15), (210, 280, 240), (4.0, 4.6, 3.4)),
    _Area("AOI_2_Northern", (2.25, 48.85), (120, 160, 190), (2.6, 3.0, 2.8)),
)


def _spacenet_paths(index: int, out: Path) -> tuple[Path, Path]:
    area = _AREAS[index % 2].name
    image = out / area / "PS-RGB" / f"SN3_roads_train_{area}_PS-RGB_img{index}.tif"
    lines = (
        out / area / "geojson_roads" / f"SN3_roads_train_{area}_geojson_roads_img{index}.geojson"
    )
    return image, lines


def _spacenet_label(index: int, out: Path) -> Path:
    return _spacenet_paths(index, out)[1]


def _write_spacenet(tile: SyntheticTile, index: int, out: Path) -> None:
    area, (image, lines) = _AREAS[index % 2], _spacenet_paths(index, out)
    grid = _grid(tile, area, index // 2)
    wide = cv2.resize(tile.image, grid.shape[::-1], interpolation=cv2.INTER_CUBIC)
    write_raster(image, _sixteen_bits(wide, area), grid)
    write_text(lines, json.dumps(_collection(tile, grid)) + "\n")


def _grid(tile: SyntheticTile, area: _Area, place: int) -> Georeference:
    """Pixels as high as the world's, square in degrees."""
    rows, side = tile.image.shape[0], tile.image.shape[0] * tile.gsd
    sample = 1e-6
    unit = Georeference(WGS84, area.corner, (sample, -sample), (rows, rows)).pixel_metres()
    step = sample * tile.gsd / unit[1]
    columns = round(side / (unit[0] * step / sample))
    right, down = place % _PER_ROW * columns, place // _PER_ROW * rows
    corner = area.corner[0] + right * step, area.corner[1] - down * step
    return Georeference(WGS84, corner, (step, -step), (rows, columns))


def _sixteen_bits(image: NDArray[Any], area: _Area) -> NDArray[np.uint16]:
    values = image * np.array(area.gain) + np.array(area.darkest)
    result: NDArray[np.uint16] = values.round().astype(np.uint16)
    return result


def _collection(tile: SyntheticTile, grid: Georeference) -> dict[str, Any]:
    features = [_feature(tile, grid, step) for step in tile.graph.edges(keys=True)]
    return {"type": "FeatureCollection", "crs": _CRS84, "features": features}


def _feature(tile: SyntheticTile, grid: Georeference, step: tuple[Any, Any, int]) -> dict[str, Any]:
    graph: nx.MultiGraph = tile.graph
    road = graph.edges[step]
    side = np.array(tile.image.shape[1::-1]) * tile.gsd
    share = oriented(graph, *step) / side
    degrees = np.array(grid.corner) + share * np.array(grid.shape[::-1]) * np.array(grid.step)
    properties = {
        "road_type": str(ROAD_TYPES[road["road_class"]]),
        "bridge_type": "1" if road["layer"] else "2",
        "paved": "2" if road["road_class"] == "track" else "1",
        "lane_number": str(lanes_of_road(road["road_class"], road["width_m"])),
    }
    line = {"type": "LineString", "coordinates": degrees.tolist()}
    return {"type": "Feature", "properties": properties, "geometry": line}


SPACENET = Layout(_write_spacenet, _spacenet_label, size_px=1300, gsd=0.3)


LAYOUTS: dict[str, Layout] = {
    "spacenet": SPACENET,
    "deepglobe": DEEPGLOBE,
    "massachusetts": MASSACHUSETTS,
    "cityscale": CITYSCALE,
    "roadtracer": ROADTRACER,
}


_MARKER = "world.json"


def synthesize(config: SynthesizeConfig) -> WorldSettings:
    """Write tiles 0 to `tiles` - 1 of a world into `out`; those that are there are kept.

    Returns:
        The settings of the world, with the size and resolution of the layout unless others are set.

    Raises:
        RoadexError: the layout has names for fewer tiles, `out` holds another world or cannot be
            written, or the world's settings are out of range.
    """
    layout = LAYOUTS[config.layout]
    if layout.most is not None and config.tiles > layout.most:
        raise RoadexError(f"tiles={config.tiles}: layout {config.layout} has {layout.most} at most")
    world = replace(
        config.world,
        size_px=config.size_px or layout.size_px,
        gsd=config.gsd or layout.gsd,
    )
    world.check()
    out = user_path(config.out)
    _claim(out, config, world)
    names = [str(index) for index in range(config.tiles)]
    make = partial(_make, layout=config.layout, world=world, seed=config.seed, out=out)
    for _ in over_tiles(make, names, config.workers, "making tiles"):
        pass
    return world


def _claim(out: Path, config: SynthesizeConfig, world: WorldSettings) -> None:
    """Record the world in the folder, so that two worlds are never mixed in it."""
    facts = {"version": WORLD_VERSION, "layout": config.layout, "seed": config.seed}
    wanted = {**facts, "world": asdict(world)}
    marker = out / _MARKER
    if marker.is_file() and json.loads(marker.read_text()) != wanted:
        raise RoadexError(f"out={config.out}: it holds a world of other settings; choose another")
    if out.is_dir() and not marker.is_file() and any(out.iterdir()):
        raise RoadexError(f"out={config.out}: it holds other files; choose an empty or new folder")
    write_json(marker, wanted)


def _make(name: str, layout: str, world: WorldSettings, seed: int, out: Path) -> None:
    index, files = int(name), LAYOUTS[layout]
    if not files.label(index, out).is_file():
        files.write(make_tile(world, seed, index), index, out)
