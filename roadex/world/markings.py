"""Painting lines on roads, and the zebra crossings at junctions."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from roadex.world.frame import Canvas, FloatArray, draw_lines, fill_corners
from roadex.world.pavement import TOWN_CLASSES, Street
from roadex.world.roads import lanes_of_road
from roadex.world.scene import Scene
from roadex.world.shapes import beside, dashes, parallelogram, points_at, stretch
from roadex.world.texture import Colour

_WHITE: Colour = (214, 212, 204)
_YELLOW: Colour = (206, 176, 92)


def paint_markings(
    scene: Scene, streets: list[Street], layer: int, rng: np.random.Generator
) -> None:
    """Centre, lane and edge lines, as far as a class of road has them, worn to a degree."""
    faint = rng.uniform(0.2, 0.85)
    centre = _YELLOW if rng.random() < 0.5 else _WHITE
    over = scene.canvas.copy()
    for street in streets:
        if street.length_m < 25:
            continue
        inner = stretch(street.line, 9, street.length_m - 9)
        solid, dashed = _offsets(street)
        for offset in solid:
            colour = _WHITE if offset else centre
            draw_lines(over, [beside(inner, offset)], colour, scene.frame, 0.15)
        for offset in dashed:
            broken = dashes(beside(inner, offset), 3.5, 11.0)
            draw_lines(over, broken, _WHITE, scene.frame, 0.15)
    if layer == 0:
        _paint_crossings(scene, over, rng)
    scene.canvas[:] = cv2.addWeighted(over, faint, scene.canvas, 1 - faint, 0)


def _offsets(street: Street) -> tuple[list[float], list[float]]:
    """Where solid and dashed lines run, in metres beside the centreline."""
    width = street.width_m
    edge = width / 2 - 0.6
    if street.road_class == "motorway":
        lanes = lanes_of_road(street.road_class, width)
        return [-edge, edge], [width * (lane / lanes - 0.5) for lane in range(1, lanes)]
    if street.road_class == "arterial":
        return [0.0, -edge], [-width / 4, width / 4]
    return ([0.0], []) if street.road_class == "collector" else ([], [])


def _paint_crossings(scene: Scene, over: Canvas, rng: np.random.Generator) -> None:
    """Zebra stripes on the arms of some town junctions."""
    graph = scene.plan.graph
    for node, degree in graph.degree():
        if degree < 3 or rng.random() < 0.75:
            continue
        here = np.array([graph.nodes[node]["x"], graph.nodes[node]["y"]])
        widest = max(data["width_m"] for *_, data in graph.edges(node, data=True))
        for _, _, data in graph.edges(node, data=True):
            if data["road_class"] in TOWN_CLASSES and data["length"] > 40 and data["layer"] == 0:
                _paint_zebra(scene, over, here, data, widest / 2 + 2.5)


def _paint_zebra(
    scene: Scene, over: Canvas, here: FloatArray, data: dict[str, Any], away_m: float
) -> None:
    line = data["geometry"]
    if np.hypot(*(line[0] - here)) > np.hypot(*(line[-1] - here)):
        line = line[::-1]
    at, on = points_at(line, np.array([away_m, away_m + 2.2]))
    along = on - at
    out = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9)
    half = data["width_m"] / 2 - 0.6
    for offset in np.arange(-half, half, 1.3):
        start = at + offset * out
        box = parallelogram(start, along, 0.45 * out)
        fill_corners(over, box, _WHITE, scene.frame)
