"""Roads as plain lines, before they are a network: their classes, and how they are cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadex.world.frame import FloatArray


@dataclass(frozen=True)
class RoadClass:
    """What roads of a class have in common.

    Attributes:
        rank: 0 is the most important.
        highway: what OpenStreetMap would call them.
        lanes: as they are painted; a motorway has more the wider it is.
    """

    rank: int
    width_m: tuple[float, float]
    highway: str
    lanes: int
    paved: bool = True


ROAD_CLASSES: dict[str, RoadClass] = {
    "motorway": RoadClass(0, (10.0, 12.0), "motorway", 3),
    "arterial": RoadClass(1, (11.0, 15.0), "primary", 4),
    "collector": RoadClass(2, (8.5, 10.5), "tertiary", 2),
    "residential": RoadClass(3, (6.5, 8.8), "residential", 2),
    "service": RoadClass(4, (3.8, 5.2), "unclassified", 1),
    "track": RoadClass(5, (2.8, 4.0), "track", 1, paved=False),
}
_LANE_M = 3.7


def lanes_of_road(road_class: str, width_m: float) -> int:
    """The lanes that a road of a class is painted with."""
    least = ROAD_CLASSES[road_class].lanes
    return max(least, round(width_m / _LANE_M)) if road_class == "motorway" else least


def tags_of_road(road_class: str, width_m: float) -> dict[str, str]:
    """The tags that OpenStreetMap would have of a road."""
    traits = ROAD_CLASSES[road_class]
    return {
        "highway": traits.highway,
        "lanes": str(lanes_of_road(road_class, width_m)),
        "surface": "paved" if traits.paved else "unpaved",
    }


WIDE_MOTORWAY_M = (16.0, 38.0)  # a carriageway of four to ten lanes


@dataclass(frozen=True)
class Road:
    """A centreline (n, 2), x, y in metres. Roads of different layers cross without meeting."""

    line: FloatArray
    road_class: str
    layer: int = 0


def lines_of(roads: list[Road]) -> NDArray[np.object_]:
    """The centrelines (n,) as geometries."""
    return np.array([shapely.LineString(road.line) for road in roads], dtype=object)


def clipped(roads: list[Road], region: BaseGeometry) -> list[Road]:
    """The parts of roads inside a region."""
    return _from_lines(roads, shapely.intersection(lines_of(roads), region))


def cut_out(roads: list[Road], region: BaseGeometry) -> list[Road]:
    """The parts of roads outside a region."""
    return _from_lines(roads, shapely.difference(lines_of(roads), region))


def declutter(roads: list[Road], others: list[Road], gap_m: float = 20.0) -> list[Road]:
    """Roads, less the stretches that run beside others instead of crossing them."""
    zone = shapely.union_all(lines_of(others)).buffer(gap_m)
    return cut_beside(roads, zone, 3.2 * gap_m, gap_m)


def cut_beside(
    roads: list[Road], zone: BaseGeometry, longest_m: float, least_m: float = np.inf
) -> list[Road]:
    """Roads, less their stretches in a zone that are longer than those of roads that cross it.

    That is longer than `longest_m`, or than `least_m` where it is most of a road.
    """
    lines = lines_of(roads)
    parts, owner = shapely.get_parts(shapely.intersection(lines, zone), return_index=True)
    reach = shapely.length(parts)
    most = reach > 0.85 * shapely.length(lines)[owner]
    bad = parts[(reach > longest_m) | (most & (reach > least_m))]
    return cut_out(roads, shapely.union_all(bad).buffer(0.05)) if len(bad) else roads


def _from_lines(roads: list[Road], geometries: NDArray[np.object_]) -> list[Road]:
    parts, owner = shapely.get_parts(geometries, return_index=True)
    return [
        replace(roads[index], line=shapely.get_coordinates(part))
        for part, index in zip(parts, owner, strict=True)
        if part.geom_type == "LineString" and part.length > 4
    ]


def reach_out(roads: list[Road], reach_m: float = 30.0) -> list[Road]:
    """Roads, with ends that stop just short of another road drawn on until they meet it."""
    lines = lines_of(roads)
    tree = shapely.STRtree(lines)
    ends = np.array([tip for road in roads for tip in road.line[[0, -1]]]).reshape(-1, 2)
    tips = shapely.points(ends)
    meeting = np.bincount(tree.query(tips, "dwithin", 0.02)[0], minlength=len(tips))
    longer = [road.line for road in roads]
    for tip in np.flatnonzero(meeting < 2):
        owner, at_start = int(tip) // 2, tip % 2 == 0
        line = longer[owner][::-1] if at_start else longer[owner]
        ahead = _to_next(line, lines, tree, owner, reach_m)
        if ahead is not None:
            line = np.vstack([line, ahead])
        longer[owner] = line[::-1] if at_start else line
    return [replace(road, line=line) for road, line in zip(roads, longer, strict=True)]


def _to_next(
    line: FloatArray, lines: NDArray[np.object_], tree: shapely.STRtree, owner: int, reach_m: float
) -> FloatArray | None:
    """The point, a little past the first other line, that a line would get to going on."""
    way = line[-1] - line[-2]
    way = way / max(np.hypot(*way), 1e-9)
    ray = shapely.LineString([line[-1] + 0.1 * way, line[-1] + reach_m * way])
    others = [index for index in tree.query(ray, "intersects") if index != owner]
    if not others:
        return None
    end = shapely.Point(line[-1])
    away = min(float(shapely.distance(end, ray.intersection(lines[index]))) for index in others)
    result: FloatArray | None = line[-1] + (away + 0.3) * way
    return result
