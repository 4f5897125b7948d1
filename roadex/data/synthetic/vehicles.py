"""Cars on roads, along kerbs and in car parks."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import shapely

from roadex.data.synthetic.colours import Colour, scaled
from roadex.data.synthetic.frame import FloatArray, fill_corners
from roadex.data.synthetic.landuse import Block
from roadex.data.synthetic.lots import stations
from roadex.data.synthetic.scene import Scene

_COLOURS: tuple[Colour, ...] = (
    (212, 213, 214),
    (160, 162, 166),
    (120, 122, 126),
    (70, 72, 76),
    (38, 39, 42),
    (30, 30, 32),
    (146, 40, 38),
    (48, 66, 112),
    (84, 92, 100),
)


@dataclass(frozen=True)
class Car:
    """A vehicle at `at`, its front towards the unit vector `along`; sizes in metres."""

    at: FloatArray
    along: FloatArray
    length_m: float = 4.5
    width_m: float = 1.85
    height_m: float = 1.5


def draw_traffic(graph: nx.MultiGraph, density: float, rng: np.random.Generator) -> list[Car]:
    """Cars that drive on the larger roads and stand along the kerbs of streets."""
    cars: list[Car] = []
    for *_, data in graph.edges(data=True):
        width, road_class = data["width_m"], data["road_class"]
        if road_class in ("motorway", "arterial", "collector"):
            share = density * {"motorway": 0.22, "arterial": 0.16, "collector": 0.07}[road_class]
            cars += _along(data, rng.uniform(0.2, 0.36) * width, 11.0, share, rng)
        if road_class in ("residential", "collector") and width > 6.8:
            share = density * rng.choice([0.0, 0.1, 0.45], p=[0.3, 0.4, 0.3])
            cars += _along(data, width / 2 - 1.15, 6.2, share, rng)
    return cars


def _along(
    data: dict, offset: float, spacing: float, share: float, rng: np.random.Generator
) -> list[Car]:
    places = stations(data["geometry"], data["width_m"], spacing, 10.0)
    chosen = np.flatnonzero(rng.random(len(places.at)) < share)
    shift = rng.uniform(-1.2, 1.2, size=len(places.at))
    return [
        _draw_car(
            places.at[i] + offset * places.out[i] + shift[i] * places.along[i], places.along[i], rng
        )
        for i in chosen
    ]


def _draw_car(at: FloatArray, along: FloatArray, rng: np.random.Generator) -> Car:
    if rng.random() < 0.04:
        return Car(at, along, rng.uniform(7, 12), 2.4, 3.0)
    return Car(at, along, rng.uniform(4.0, 5.2), rng.uniform(1.7, 2.0), rng.uniform(1.4, 1.9))


def paint_cars(scene: Scene, cars: list[Car], rng: np.random.Generator) -> None:
    """Paint bodies and windows, and raise the heights, which gives the shadows."""
    side = scene.settings.side_m
    for car in cars:
        if not (-6 < car.at[0] < side + 6 and -6 < car.at[1] < side + 6):
            continue
        colour = _COLOURS[int(rng.integers(len(_COLOURS)))]
        fill_corners(scene.canvas, _box(car, 0.0, car.length_m, car.width_m), colour, scene.frame)
        fill_corners(
            scene.heights, _box(car, 0.0, car.length_m, car.width_m), car.height_m, scene.frame
        )
        glass = scaled(colour, 0.3)
        for where in (0.18, -0.3):
            box = _box(car, where * car.length_m, 0.13 * car.length_m, 0.82 * car.width_m)
            fill_corners(scene.canvas, box, glass, scene.frame)


def _box(car: Car, ahead: float, length: float, width: float) -> FloatArray:
    out = np.array([-car.along[1], car.along[0]])
    middle = car.at + ahead * car.along
    half_along, half_out = car.along * length / 2, out * width / 2
    return np.array(
        [
            middle - half_along - half_out,
            middle + half_along - half_out,
            middle + half_along + half_out,
            middle - half_along + half_out,
        ]
    )


def paint_car_parks(
    scene: Scene, blocks: list[Block], rng: np.random.Generator
) -> tuple[int, list[Car]]:
    """Lay car parks in commercial blocks, in the same asphalt as roads.

    Returns:
        How many, and the cars that stand in them.
    """
    count = 0
    cars: list[Car] = []
    for block in blocks:
        if block.use != "commercial":
            continue
        tries = round(36 * scene.settings.car_park_density)
        for _ in range(tries):
            parked = _try_car_park(scene, block, rng)
            if parked is not None:
                count, cars = count + 1, cars + parked
    return count, cars


def _try_car_park(scene: Scene, block: Block, rng: np.random.Generator) -> list[Car] | None:
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(block.shape))[:4]
    sides = np.diff(corners[[0, 1, 2]], axis=0)
    along, out = sides / np.maximum(np.hypot(*sides.T), 1e-9)[:, None]
    start = corners[0] + rng.uniform(0, 0.9, 2) @ sides
    rows, bays = int(rng.integers(1, 4)), int(rng.integers(5, 22))
    length, depth = bays * 2.6 + 2, rows * 16.5
    quad = start + np.array([0 * along, length * along, length * along + depth * out, depth * out])
    if not block.shape.contains(shapely.Polygon(quad)) or not scene.ground.try_quad(quad):
        return None
    colour = scaled(scene.character.asphalt, rng.uniform(0.85, 1.15))
    fill_corners(scene.canvas, quad, colour, scene.frame)
    full, cars = rng.uniform(0.1, 0.9), []
    for row in range(rows):
        for offset, facing in ((2.6, 1), (13.4, -1)):
            first = start + along + (16.5 * row + offset) * out
            cars += _paint_bays(scene, first, along, facing * out, bays, full, rng)
    return cars


def _paint_bays(
    scene: Scene,
    first: FloatArray,
    along: FloatArray,
    out: FloatArray,
    bays: int,
    full: float,
    rng: np.random.Generator,
) -> list[Car]:
    for bay in range(bays + 1):
        middle = first + bay * 2.6 * along
        line = np.array([middle - 2.4 * out, middle + 2.4 * out])
        box = np.array([line[0], line[1], line[1] + 0.22 * along, line[0] + 0.22 * along])
        fill_corners(scene.canvas, box, (178, 177, 172), scene.frame)
    taken = np.flatnonzero(rng.random(bays) < full)
    return [_draw_car(first + (bay + 0.5) * 2.6 * along, out, rng) for bay in taken]
