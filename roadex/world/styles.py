"""The street plans of the landscapes a tile can show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import shapely

from roadex.world.frame import FloatArray
from roadex.world.lattice import alleys, draw_lattice, lattice_roads
from roadex.world.lines import through, wander
from roadex.world.roads import Road

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
