"""RoadTracer: imagery/CITY_X_Y_sat.png with graphs/CITY.graph, under its cities' names.

A world tile is a city of one image, the one left of the graph's origin, so that coordinates are
negative as they are in the published graphs.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from pathlib import Path

from roadex.config.paths import config_dir
from roadex.data.layouts.base import Layout
from roadex.data.splits import SPLITS, read_list
from roadex.graph.formats import write_network
from roadex.graph.moving import shifted
from roadex.rasters.pictures import write_image
from roadex.world import SyntheticTile


def _city(index: int) -> str:
    """The published cities, a training, a validation and a test city in turn while they last."""
    lists = [read_list(config_dir() / "splits" / "roadtracer" / f"{s}.txt") for s in SPLITS]
    cities = [city for city in chain.from_iterable(zip_longest(*lists)) if city]
    return cities[index]


def _label(index: int, out: Path) -> Path:
    return out / "graphs" / f"{_city(index)}.graph"


def _write(tile: SyntheticTile, index: int, out: Path) -> None:
    write_image(out / "imagery" / f"{_city(index)}_-1_0_sat.png", tile.image)
    side = tile.image.shape[1] * tile.gsd
    write_network(shifted(tile.graph, -side, 0.0), _label(index, out), tile.gsd)


ROADTRACER = Layout(_write, _label, size_px=4096, gsd=0.6, most=40)
