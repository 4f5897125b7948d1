"""The map page: an image, its road probability and its roads, to be explored in a browser.

One self-contained HTML file that loads nothing from the internet.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from roadex.graph.attribute_labels import CLASSES, class_of
from roadex.graph.attributes import has_no_speed, road_attributes, table_speed
from roadex.graph.network import ONE_WAY
from roadex.graph.road_table import RoadTable, table_of
from roadex.plots.html import array_text, jpeg_uri, png_uri, script_data, shrunk, write_page
from roadex.plots.overlays import Picture

# Probabilities are drawn from here on, in 1/256, the higher the more opaque.
_OPACITY_STEP = 8
_FAINTEST = 16
# Of the copies of the lines for smaller and smaller scales.
_TOLERANCES_M = tuple(0.25 * 4**step for step in range(7))
_PROBABILITY_COLOUR = (0, 229, 255)


@dataclass(frozen=True)
class Place:
    """Where the image lies, for the coordinates under the cursor.

    Attributes:
        crs: the name of the coordinate system for readers ("EPSG:32633").
        transform: a, b, c, d, e, f: metres (x, y) in the image frame lie at
            (a x + b y + c, d x + e y + f). With an affine `t` of a raster and pixels of `gsd`
            metres these are `(t * Affine.scale(1 / gsd))[:6]`.
        decimals: decimal places to show.
    """

    crs: str
    transform: tuple[float, float, float, float, float, float]
    decimals: int = 1


def write_map_page(
    path: str | Path,
    network: nx.MultiGraph | RoadTable,
    image: Picture,
    extent_m: tuple[float, float],
    probability: NDArray[np.uint8] | None = None,
    *,
    title: str = "Road network",
    summary: Mapping[str, str] | None = None,
    place: Place | None = None,
    longest_px: int = 2048,
) -> None:
    """Write the page.

    Args:
        path: the HTML file.
        network: roads in the image frame (metres, x right, y down, the image's upper left corner
            at 0, 0), of which the edges may have `width_m` and `mean_probability` (0 to 1).
        image: an overview (h, w, 3), RGB, of the whole image; any resolution.
        extent_m: width and height in metres of what `image` and `probability` cover.
        probability: the road probability (h, w) of the same area in 1/256; any resolution.
        title: the page's heading, such as the image's name.
        summary: facts to list below the heading.
        place: where the image lies; without it coordinates are metres from its upper left corner.
        longest_px: both pictures are averaged down until neither side is longer.

    Raises:
        RoadexError: the page cannot be written.
    """
    content = {
        "extent": list(extent_m),
        "place": place and asdict(place),
        **network_data(network),
    }
    write_page(
        path,
        "map.html",
        title=title,
        summary=dict(summary or {}),
        image=jpeg_uri(image, longest_px),
        probability=None if probability is None else _probability_uri(probability, longest_px),
        data=script_data(content),
    )


def network_data(network: nx.MultiGraph | RoadTable) -> dict[str, Any]:
    """The network as the page's script reads it: flat arrays, edge by edge and node by node.

    The longest roads come first. `ranks` is, for each point, the number of coarser copies of the
    lines (with the `tolerances` in metres) that keep it.
    """
    table = network if isinstance(network, RoadTable) else table_of(network)
    speeds = _speeds(network)
    order = np.argsort(-table.lengths, kind="stable")
    table = table.ordered(order)
    return {
        "points": array_text(table.points, "f4"),
        "ranks": array_text(_ranks(table), "u1"),
        "tolerances": list(_TOLERANCES_M),
        "starts": array_text(table.offsets, "u4"),
        "ends": array_text(table.ends, "u4"),
        "lengths": array_text(table.lengths, "f4"),
        "widths": _attribute(table, "width_m"),
        "probabilities": _attribute(table, "mean_probability"),
        "speeds": array_text(speeds[order], "f4"),
        "oneWay": array_text(_one_way(network)[order], "u1"),
        "slowest": table_speed(None),
        "classes": CLASSES,
        "classRanks": array_text(_class_ranks(network)[order], "f4"),
        "nodes": [str(name) for name in table.names.tolist()],
        "places": array_text(table.places, "f4"),
        "degrees": array_text(table.degrees(), "u2"),
    }


def _speeds(network: nx.MultiGraph | RoadTable) -> NDArray[np.float64]:
    """Km/h of every road, NaN where neither its speed nor its class is known."""
    if isinstance(network, RoadTable):
        return _values(network, "speed_kph")
    return np.array(
        [
            np.nan if has_no_speed(data) else road_attributes(data)["speed_kph"]
            for *_, data in network.edges(data=True)
        ],
        dtype=np.float64,
    )


def _one_way(network: nx.MultiGraph | RoadTable) -> NDArray[np.bool_]:
    """Which roads lead only the way that their lines run; a table of roads knows no directions."""
    if isinstance(network, RoadTable):
        return np.zeros(len(network), bool)
    return np.array([data.get(ONE_WAY) is True for *_, data in network.edges(data=True)], bool)


def _class_ranks(network: nx.MultiGraph | RoadTable) -> NDArray[np.float64]:
    """The class of every road, the most important one the highest; NaN where it is not known."""
    if isinstance(network, RoadTable):
        return len(CLASSES) - 1 - _values(network, "highway")
    known = [class_of(data) for *_, data in network.edges(data=True)]
    ranks = [np.nan if name is None else len(CLASSES) - 1 - CLASSES.index(name) for name in known]
    return np.array(ranks, dtype=np.float64)


def _values(table: RoadTable, name: str) -> NDArray[np.float64]:
    return table.value(name) if name in table.attributes else np.full(len(table), np.nan)


def _attribute(table: RoadTable, name: str) -> str:
    """An attribute of every road, NaN where it is not known."""
    return array_text(_values(table, name), "f4")


def _ranks(table: RoadTable) -> NDArray[np.uint8]:
    """In how many of the coarser copies (k,) each point of a network is kept."""
    ranks = np.zeros(len(table.points), np.uint8)
    if not len(table):
        return ranks
    # Simplifying keeps the third coordinate, by which the points that are left are known.
    numbered = np.column_stack([table.points, np.arange(len(table.points))])
    owners = np.repeat(np.arange(len(table)), np.diff(table.offsets))
    lines = shapely.linestrings(numbered, indices=owners)
    for rank, tolerance in enumerate(_TOLERANCES_M, start=1):
        lines = shapely.simplify(lines, tolerance, preserve_topology=False)
        kept = shapely.get_coordinates(lines, include_z=True)[:, 2].astype(np.int64)
        ranks[kept] = rank
    ranks[table.offsets[:-1]] = ranks[table.offsets[1:] - 1] = len(_TOLERANCES_M)
    return ranks


def _probability_uri(probability: NDArray[np.uint8], longest: int) -> str:
    """A PNG of one colour whose opacity is the probability, in steps too small to see.

    A palette and few steps keep it small and make its compression fast.
    """
    levels = shrunk(probability, longest) // _OPACITY_STEP * _OPACITY_STEP
    picture = Image.fromarray(levels, mode="P")
    picture.putpalette(_PROBABILITY_COLOUR * 256)
    opacity = bytes(value if value >= _FAINTEST else 0 for value in range(256))
    file = io.BytesIO()
    picture.save(file, format="PNG", transparency=opacity, compress_level=3)
    return png_uri(file.getvalue())
