"""SpaceNet: 16-bit GeoTIFFs in degrees with GeoJSON centre lines, in areas of interest.

Pixels are square in degrees and so oblong on the ground, as published: the tile is stretched along
its rows. Two areas lie at different latitudes and have different contrasts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.data.layouts.base import Layout
from roadex.files import write_text
from roadex.geo.crs import WGS84
from roadex.geo.grid import Georeference
from roadex.graph.network import oriented
from roadex.rasters.rasters import write_raster
from roadex.world import SyntheticTile
from roadex.world.roads import lanes_of_road

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


def _paths(index: int, out: Path) -> tuple[Path, Path]:
    area = _AREAS[index % 2].name
    image = out / area / "PS-RGB" / f"SN3_roads_train_{area}_PS-RGB_img{index}.tif"
    lines = (
        out / area / "geojson_roads" / f"SN3_roads_train_{area}_geojson_roads_img{index}.geojson"
    )
    return image, lines


def _label(index: int, out: Path) -> Path:
    return _paths(index, out)[1]


def _write(tile: SyntheticTile, index: int, out: Path) -> None:
    area, (image, lines) = _AREAS[index % 2], _paths(index, out)
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


SPACENET = Layout(_write, _label, size_px=1300, gsd=0.3)
