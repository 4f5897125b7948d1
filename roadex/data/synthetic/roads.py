"""Where roads run: street plans of several styles, main roads and motorways, as plain lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from roadex.data.synthetic.frame import FloatArray


@dataclass(frozen=True)
class RoadClass:
    """What roads of a class have in common; `rank` 0 is the most important."""

    rank: int
    width_m: tuple[float, float]
    paved: bool = True


ROAD_CLASSES: dict[str, RoadClass] = {
    "motorway": RoadClass(0, (10.0, 12.0)),
    "arterial": RoadClass(1, (11.0, 15.0)),
    "collector": RoadClass(2, (8.5, 10.5)),
    "residential": RoadClass(3, (6.5, 8.8)),
    "service": RoadClass(4, (3.8, 5.2)),
    "track": RoadClass(5, (2.8, 4.0), paved=False),
}


@dataclass(frozen=True)
class Road:
    """A centreline (n, 2), x, y in metres. Roads of different layers cross without meeting."""

    line: FloatArray
    road_class: str
    layer: int = 0


@dataclass(frozen=True)
class Lattice:
    """A street plan in its own axes u, v, and the way from there into the world.

    `bend_m` is how far a smooth displacement, one sine for each row of `waves` (direction x, y,
    wave number per metre, phase), moves its streets off the straight.
    """

    us: FloatArray
    vs: FloatArray
    heading: float
    centre: tuple[float, float]
    bend_m: float
    waves: FloatArray

    def place(self, points: FloatArray) -> FloatArray:
        """Points (n, 2) in u, v to x, y in metres."""
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        turned = points @ np.array([[cos, sin], [-sin, cos]])
        moved = turned + np.asarray(self.centre)
        for direction_x, direction_y, number, phase in self.waves:
            along = turned @ np.array([direction_y, -direction_x])
            push = self.bend_m * np.sin(number * along + phase)
            moved = moved + push[:, None] * np.array([direction_x, direction_y])
        return moved


def draw_lattice(
    rng: np.random.Generator,
    side_m: float,
    heading: float,
    spacing: tuple[tuple[float, float], tuple[float, float]],
    bend_m: float,
) -> Lattice:
    """A lattice that covers the tile, with spacings drawn from the ranges for u and v."""
    reach = side_m * 0.75 + 60
    us, vs = (_steps(rng, rng.uniform(*between), reach) for between in spacing)
    angles = rng.uniform(0, np.pi, size=3)
    waves = np.column_stack(
        [
            np.cos(angles),
            np.sin(angles),
            2 * np.pi / rng.uniform(170, 360, size=3),
            rng.uniform(0, 2 * np.pi, size=3),
        ]
    )
    centre = (side_m / 2 + rng.uniform(-30, 30), side_m / 2 + rng.uniform(-30, 30))
    return Lattice(us, vs, heading, centre, bend_m, waves)


def _steps(rng: np.random.Generator, spacing: float, reach: float) -> FloatArray:
    count = int(np.ceil(2 * reach / spacing)) + 1
    gaps = spacing * rng.uniform(0.85, 1.15, size=count)
    return np.cumsum(gaps) - reach - rng.uniform(0, spacing)


def lattice_roads(
    rng: np.random.Generator,
    lattice: Lattice,
    classes: tuple[str, str],
    loss: float,
) -> list[Road]:
    """The streets of a lattice, less a share `loss` of its links, none of which cuts it apart.

    `classes` are those of the streets along v (at each u) and along u (at each v).
    """
    width, height = len(lattice.us), len(lattice.vs)
    links = [(i, j, i + 1, j) for i in range(width - 1) for j in range(height)]
    links += [(i, j, i, j + 1) for i in range(width) for j in range(height - 1)]
    group = list(range(width * height))
    roads = []
    for index in rng.permutation(len(links)):
        i, j, k, m = links[index]
        joined = _join(group, i * height + j, k * height + m)
        if joined or rng.random() >= loss:
            roads.append(Road(_link(lattice, (i, j), (k, m)), classes[0] if i == k else classes[1]))
    return roads


def _join(group: list[int], a: int, b: int) -> bool:
    """Union-find: whether the link a-b was needed to connect them."""
    roots = []
    for item in (a, b):
        while group[item] != item:
            group[item] = group[group[item]]
            item = group[item]
        roots.append(item)
    group[roots[0]] = roots[1]
    return roots[0] != roots[1]


def _link(lattice: Lattice, start: tuple[int, int], end: tuple[int, int]) -> FloatArray:
    a = np.array([lattice.us[start[0]], lattice.vs[start[1]]])
    b = np.array([lattice.us[end[0]], lattice.vs[end[1]]])
    count = 2 if lattice.bend_m < 0.5 else max(2, int(np.hypot(*(b - a)) / 6))
    shares = np.linspace(0, 1, count)[:, None]
    return lattice.place(a * (1 - shares) + b * shares)


def alleys(rng: np.random.Generator, lattice: Lattice) -> list[Road]:
    """Service lanes half-way between the streets along v, through whole blocks."""
    roads = []
    for left, right in zip(lattice.us[:-1], lattice.us[1:], strict=True):
        if right - left < 48 or rng.random() < 0.25:
            continue
        middle = left + (right - left) * rng.uniform(0.46, 0.54)
        for top, bottom in zip(lattice.vs[:-1], lattice.vs[1:], strict=True):
            if rng.random() < 0.85:
                ends = np.array([[middle, top], [middle, bottom]])
                line = _densify(ends, 6.0) if lattice.bend_m >= 0.5 else ends
                roads.append(Road(lattice.place(line), "service"))
    return roads


def _densify(line: FloatArray, step: float) -> FloatArray:
    coordinates: FloatArray = shapely.get_coordinates(
        shapely.segmentize(shapely.LineString(line), step)
    )
    return coordinates


def wander(
    rng: np.random.Generator,
    start: FloatArray,
    heading: float,
    length_m: float,
    turn: float,
    step_m: float = 6.0,
) -> FloatArray:
    """A smoothly winding line (n, 2) from a point; `turn` is its curvature's size in rad/m."""
    count = max(3, int(length_m / step_m))
    drift = np.convolve(rng.normal(0, 1, count + 16), np.hanning(17) / 2.9, mode="valid")[:count]
    drift = drift - 0.6 * drift.mean()
    angles = heading + np.cumsum(drift) * turn * step_m
    steps = step_m * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.vstack([start, start + np.cumsum(steps, axis=0)])


def through(
    rng: np.random.Generator, side_m: float, heading: float, turn: float, offset: float = 0.22
) -> FloatArray:
    """A line right across the tile and beyond, past a point near its centre."""
    middle = side_m / 2 + rng.uniform(-offset, offset, size=2) * side_m
    reach = side_m * 0.85 + 80
    ahead = wander(rng, middle, heading, reach, turn)
    back = wander(rng, middle, heading + np.pi, reach, turn)
    return np.vstack([back[:0:-1], ahead])


def grid_plan(
    rng: np.random.Generator,
    side_m: float,
    heading: float,
    density: float,
    loss: float,
    lanes: bool,
) -> list[Road]:
    """City blocks, with service lanes behind the houses where `lanes` says so."""
    scale = 1 / np.sqrt(density)
    across = (62, 92) if lanes else (52, 82)
    spacing = (_scaled(across, scale), _scaled((105, 190), scale))
    lattice = draw_lattice(rng, side_m, heading, spacing, rng.choice([0.0, 0.0, 2.5]))
    minor = "collector" if rng.random() < 0.2 else "residential"
    roads = lattice_roads(rng, lattice, ("residential", minor), 0.6 * loss)
    return roads + alleys(rng, lattice) if lanes else roads


def organic_plan(
    rng: np.random.Generator, side_m: float, heading: float, density: float, loss: float
) -> list[Road]:
    """Winding residential streets with many dead ends."""
    scale = 1 / np.sqrt(density)
    spacing = (_scaled((56, 82), scale), _scaled((80, 150), scale))
    lattice = draw_lattice(rng, side_m, heading, spacing, rng.uniform(7, 15))
    roads = lattice_roads(rng, lattice, ("residential", "residential"), min(0.9, 1.2 * loss + 0.2))
    tips = Counter(_place(tip) for road in roads for tip in (road.line[0], road.line[-1]))
    return [_shortened(rng, road) if tips[_place(road.line[-1])] == 1 else road for road in roads]


def industrial_plan(
    rng: np.random.Generator, side_m: float, heading: float, density: float, loss: float
) -> list[Road]:
    """Large blocks between wide roads, with service roads into some."""
    scale = 1 / np.sqrt(density)
    spacing = (_scaled((100, 150), scale), _scaled((120, 200), scale))
    lattice = draw_lattice(rng, side_m, heading, spacing, rng.choice([0.0, 4.0]))
    roads = lattice_roads(rng, lattice, ("collector", "residential"), 0.8 * loss)
    stems = [road for road in roads if rng.random() < 0.3]
    return roads + [_side_road(rng, stem.line, "service", (25, 60), 0.0) for stem in stems]


def rural_plan(
    rng: np.random.Generator, side_m: float, heading: float, density: float, loss: float
) -> list[Road]:
    """A lane or two and tracks that leave them into the fields."""
    roads = []
    extent = max(1.0, side_m / 256)
    for _ in range(rng.poisson(0.5 * density * extent) + round(extent)):
        line = through(rng, side_m, heading + rng.normal(0, 0.6), 0.006, 0.4)
        roads.append(Road(line, "residential" if rng.random() < 0.6 else "track"))
    for _ in range(rng.poisson((2.5 + 4 * loss) * density * extent**2)):
        stem = roads[int(rng.integers(len(roads)))]
        roads.append(_side_road(rng, stem.line, "track", (40, min(side_m, 400)), 0.008))
    return roads


def _scaled(between: tuple[float, float], scale: float) -> tuple[float, float]:
    return between[0] * scale, between[1] * scale


def _side_road(
    rng: np.random.Generator,
    stem: FloatArray,
    road_class: str,
    length: tuple[float, float],
    turn: float,
) -> Road:
    """A road that leaves another about squarely, from a random point of it."""
    line = shapely.LineString(stem)
    at = rng.uniform(0.1, 0.9) * line.length
    here, there = (np.array(line.interpolate(at + d).coords[0]) for d in (0.0, 1.0))
    ahead = np.arctan2(*(there - here)[::-1])
    heading = ahead + rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.15)
    return Road(wander(rng, here, heading, rng.uniform(*length), turn), road_class)


def _place(point: FloatArray) -> tuple[float, float]:
    return round(float(point[0]), 2), round(float(point[1]), 2)


def _shortened(rng: np.random.Generator, road: Road) -> Road:
    """A dead end, cut back at random: lots close it."""
    keep = rng.uniform(0.55, 0.9)
    return replace(road, line=road.line[: max(3, int(keep * len(road.line)))])


def clipped(roads: list[Road], region: BaseGeometry) -> list[Road]:
    """The parts of roads inside a region."""
    lines = shapely.intersection([shapely.LineString(road.line) for road in roads], region)
    return _from_lines(roads, lines)


def cut_out(roads: list[Road], region: BaseGeometry) -> list[Road]:
    """The parts of roads outside a region."""
    lines = shapely.difference([shapely.LineString(road.line) for road in roads], region)
    return _from_lines(roads, lines)


def declutter(roads: list[Road], others: list[Road], gap_m: float = 20.0) -> list[Road]:
    """Roads, less the stretches that run beside others instead of crossing them."""
    if not others or not roads:
        return roads
    zone = shapely.union_all([shapely.LineString(o.line) for o in others]).buffer(gap_m)
    lines = np.array([shapely.LineString(road.line) for road in roads])
    beside = shapely.intersection(lines, zone)
    parts, owner = shapely.get_parts(beside, return_index=True)
    long = shapely.length(parts) > 3.2 * gap_m
    whole = shapely.length(parts) > 0.85 * shapely.length(lines)[owner]
    bad = parts[long | (whole & (shapely.length(parts) > gap_m))]
    if not len(bad):
        return roads
    return _from_lines(roads, shapely.difference(lines, shapely.union_all(bad).buffer(0.05)))


def _from_lines(roads: list[Road], geometries: np.ndarray) -> list[Road]:
    parts, owner = shapely.get_parts(geometries, return_index=True)
    return [
        replace(roads[index], line=shapely.get_coordinates(part))
        for part, index in zip(parts, owner, strict=True)
        if part.geom_type == "LineString" and part.length > 4
    ]


def reach_out(roads: list[Road], reach_m: float = 30.0) -> list[Road]:
    """Roads, with ends that stop just short of another road drawn on until they meet it."""
    lines = np.array([shapely.LineString(road.line) for road in roads])
    tree = shapely.STRtree(lines)
    tips = shapely.points([tip for road in roads for tip in (road.line[0], road.line[-1])])
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
    line: FloatArray, lines: np.ndarray, tree: shapely.STRtree, owner: int, reach_m: float
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
    return line[-1] + (away + 0.3) * way
