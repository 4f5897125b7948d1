"""Cars on roads and along kerbs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from roadex.world.frame import FloatArray, fill_corners
from roadex.world.lots import stations
from roadex.world.scene import Scene
from roadex.world.shapes import parallelogram
from roadex.world.texture import Colour, choose, scaled

_TWO_LANES_EACH_WAY_M = 15.0
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
            for lane in _lanes(width, rng):
                cars += _along(data, lane, 11.0, share, rng)
        if road_class in ("residential", "collector") and width > 6.8:
            share = density * rng.choice([0.0, 0.1, 0.45], p=[0.3, 0.4, 0.3])
            cars += _along(data, width / 2 - 1.15, 6.2, share, rng)
    return cars


def _lanes(width_m: float, rng: np.random.Generator) -> list[float]:
    """Distances from the centreline at which cars drive, on either side of it."""
    if width_m <= _TWO_LANES_EACH_WAY_M:
        return [rng.uniform(0.2, 0.36) * width_m]
    return [rng.uniform(0.04, 0.46) * width_m for _ in range(round(width_m / 8))]


def _along(
    data: dict[str, Any], offset: float, spacing: float, share: float, rng: np.random.Generator
) -> list[Car]:
    places = stations(data["geometry"], data["width_m"], spacing, 10.0)
    chosen = np.flatnonzero(rng.random(len(places.at)) < share)
    shift = rng.uniform(-1.2, 1.2, size=len(places.at))
    return [
        draw_car(
            places.at[i] + offset * places.out[i] + shift[i] * places.along[i], places.along[i], rng
        )
        for i in chosen
    ]


def draw_car(at: FloatArray, along: FloatArray, rng: np.random.Generator) -> Car:
    """A car, or now and then a lorry, of an ordinary size."""
    if rng.random() < 0.04:
        return Car(at, along, rng.uniform(7, 12), 2.4, 3.0)
    return Car(at, along, rng.uniform(4.0, 5.2), rng.uniform(1.7, 2.0), rng.uniform(1.4, 1.9))


def paint_cars(scene: Scene, cars: list[Car], rng: np.random.Generator) -> None:
    """Paint bodies and windows, and raise the heights, which gives the shadows."""
    side = scene.settings.side_m
    for car in cars:
        if not (-6 < car.at[0] < side + 6 and -6 < car.at[1] < side + 6):
            continue
        colour = choose(rng, _COLOURS)
        body = _box(car, 0.0, car.length_m, car.width_m)
        fill_corners(scene.canvas, body, colour, scene.frame)
        fill_corners(scene.heights, body, car.height_m, scene.frame)
        glass = scaled(colour, 0.3)
        for where in (0.18, -0.3):
            box = _box(car, where * car.length_m, 0.13 * car.length_m, 0.82 * car.width_m)
            fill_corners(scene.canvas, box, glass, scene.frame)


def _box(car: Car, ahead: float, length: float, width: float) -> FloatArray:
    out = np.array([-car.along[1], car.along[0]])
    start = car.at + (ahead - length / 2) * car.along - width / 2 * out
    return parallelogram(start, length * car.along, width * out)
