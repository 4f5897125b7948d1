"""A map and roads seen in imagery, from files, in one system in metres, and the area of both."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.changes.samples import Floats
from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.graph.attributes import TAGS, without_paths
from roadex.graph.formats import read_network
from roadex.graph.formats.geopackage import load_geopandas
from roadex.metrics.pairing import tell_left_out, tell_unclear

Reader = Callable[..., nx.MultiGraph]


def read_pair(
    old: str,
    new: str,
    gsd: float | None,
    road_above: float | None = None,
    road_values: list[int] | None = None,
) -> tuple[nx.MultiGraph, nx.MultiGraph]:
    """The map and the roads in the system of the roads, with what was left out of each told.

    Roads end where a tag changes, so that each has one class.

    Raises:
        RoadexError: a file is missing, cannot be read or has no road, or only one of them has
            a coordinate system.
    """
    how = partial(read_network, gsd=gsd, road_above=road_above, road_values=road_values)
    seen = _read("roads", user_path(new), how, None)
    crs = seen.graph.get("crs")
    known = _read("map", user_path(old), how, crs)
    frames = [network.graph.get("crs") for network in (known, seen)]
    if frames[0] != frames[1]:
        where = [str(frame or "no coordinate system") for frame in frames]
        raise RoadexError(
            f"map={old} is in {where[0]}, roads={new} in {where[1]}: assign the system that is "
            "missing, or convert one"
        )
    return known, seen


def _read(key: str, path: Path, how: Reader, crs: str | None) -> nx.MultiGraph:
    if not path.is_file():
        raise RoadexError(f"{key}={path}: no such file")
    network = without_paths(how(path, crs=crs, keep_apart=TAGS))
    tell_left_out(path, network)
    tell_unclear(path, network)
    if not network.number_of_edges():
        raise RoadexError(f"{key}={path} holds no road: is it the right file or layer?")
    return network


def common_area(networks: list[nx.MultiGraph], margin_m: float) -> shapely.Geometry:
    """The rectangle that both networks cover, a little larger.

    Raises:
        RoadexError: they do not overlap.
    """
    around = np.array([-1.0, -1.0, 1.0, 1.0]) * margin_m
    boxes = [shapely.box(*(bounds_of(network) + around)) for network in networks]
    common = boxes[0].intersection(boxes[1])
    if common.is_empty or common.area == 0:
        places = " and ".join(
            "x {:,.0f} to {:,.0f}, y {:,.0f} to {:,.0f}".format(*np.array(b.bounds)[[0, 2, 1, 3]])
            for b in boxes
        )
        raise RoadexError(
            f"map and roads do not overlap ({places}): are both of the same place, with swapped "
            "axes or another coordinate system?"
        )
    return common


def polygons_of(path: Path, crs: str | None) -> shapely.Geometry:
    """The polygons of a file of areas, in the system `crs`, as one.

    Raises:
        RoadexError: the file cannot be read, or holds no polygon.
    """
    if not path.is_file():
        raise RoadexError(f"area={path}: no such file")
    try:
        table = load_geopandas().read_file(path)
        if crs is not None and table.crs is not None:
            table = table.to_crs(crs)
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise RoadexError(f"area={path} is no readable file of polygons ({reason})") from error
    shapes = [s for s in table.geometry if s is not None and s.geom_type.endswith("Polygon")]
    if not shapes:
        raise RoadexError(f"area={path} holds no polygon: give the outline to compare in")
    return shapely.union_all(shapely.make_valid(np.array(shapes)))


def inside(area: shapely.Geometry, points: Floats) -> NDArray[np.bool_]:
    """Whether points (n, 2) lie in the area."""
    low_x, low_y, high_x, high_y = area.bounds
    x, y = points.reshape(-1, 2).T
    within = (x >= low_x) & (x <= high_x) & (y >= low_y) & (y <= high_y)
    if area.area < 0.999999 * (high_x - low_x) * (high_y - low_y):
        shapely.prepare(area)
        within[within] = shapely.contains_xy(area, x[within], y[within])
    return np.asarray(within)


def bounds_of(network: nx.MultiGraph) -> Floats:
    """Least x and y, largest x and y (4,) of a network that has roads."""
    points = np.concatenate([line for *_, line in network.edges(data="geometry")])
    return np.concatenate([points.min(axis=0), points.max(axis=0)])
