"""The street plans of the landscapes a tile can show, lattices among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely

from roadex.world.frame import FloatArray
from roadex.world.roads import Road
from roadex.world.shapes import through, wander

Between = tuple[float, float]


@dataclass(frozen=True)
class Terms:
    """What every street plan of a tile has to keep to."""

    side_m: float
    heading: float  # radians
    density: float  # of junctions, 1 is usual
    loss: float  # the share of links left out
    lanes: bool  # whether service lanes run behind houses

    def spacing(self, across: Between, along: Between) -> tuple[Between, Between]:
        """Ranges of the distances between streets, for this density of junctions."""
        scale = 1 / np.sqrt(self.density)
        return (across[0] * scale, across[1] * scale), (along[0] * scale, along[1] * scale)


def _grid(rng: np.random.Generator, terms: Terms) -> list[Road]:
    """City blocks, with service lanes behind the houses where the terms say so."""
    spacing = terms.spacing((62, 92) if terms.lanes else (52, 82), (105, 190))
    lattice = draw_lattice(rng, terms.side_m, terms.heading, spacing, rng.choice([0.0, 0.0, 2.5]))
    minor = "collector" if rng.random() < 0.2 else "residential"
    roads = lattice_roads(rng, lattice, ("residential", minor), 0.6 * terms.loss)
    return roads + alleys(rng, lattice) if terms.lanes else roads


def _organic(rng: np.random.Generator, terms: Terms) -> list[Road]:
    """Winding residential streets with many dead ends."""
    spacing = terms.spacing((56, 82), (80, 150))
    lattice = draw_lattice(rng, terms.side_m, terms.heading, spacing, rng.uniform(7, 15))
    loss = min(0.9, 1.2 * terms.loss + 0.2)
    roads = lattice_roads(rng, lattice, ("residential", "residential"), loss)
    tips = Counter(_place(tip) for road in roads for tip in (road.line[0], road.line[-1]))
    return [_shortened(rng, road) if tips[_place(road.line[-1])] == 1 else road for road in roads]


def _industrial(rng: np.random.Generator, terms: Terms) -> list[Road]:
    """Large blocks between wide roads, with service roads into some."""
    spacing = terms.spacing((100, 150), (120, 200))
    lattice = draw_lattice(rng, terms.side_m, terms.heading, spacing, rng.choice([0.0, 4.0]))
    roads = lattice_roads(rng, lattice, ("collector", "residential"), 0.8 * terms.loss)
    stems = [road for road in roads if rng.random() < 0.3]
    return roads + [_side_road(rng, stem.line, "service", (25, 60), 0.0) for stem in stems]


def _rural(rng: np.random.Generator, terms: Terms) -> list[Road]:
    """A lane or two and tracks that leave them into the fields."""
    roads = []
    extent = max(1.0, terms.side_m / 256)
    for _ in range(rng.poisson(0.5 * terms.density * extent) + round(extent)):
        line = through(rng, terms.side_m, terms.heading + rng.normal(0, 0.6), 0.006, 0.4)
        roads.append(Road(line, "residential" if rng.random() < 0.6 else "track"))
    length = (40.0, min(max(terms.side_m, 60.0), 400.0))
    for _ in range(rng.poisson((2.5 + 4 * terms.loss) * terms.density * extent**2)):
        stem = roads[int(rng.integers(len(roads)))]
        roads.append(_side_road(rng, stem.line, "track", length, 0.008))
    return roads


PLANS: dict[str, Callable[[np.random.Generator, Terms], list[Road]]] = {
    "grid": _grid,
    "organic": _organic,
    "rural": _rural,
    "industrial": _industrial,
}


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
        result: FloatArray = moved
        return result


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
    for left, right in pairwise(lattice.us):
        if right - left < 48 or rng.random() < 0.25:
            continue
        middle = left + (right - left) * rng.uniform(0.46, 0.54)
        for top, bottom in pairwise(lattice.vs):
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
