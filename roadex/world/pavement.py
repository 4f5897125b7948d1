"""Painting roads: pavements, kerbs, asphalt, wear, patches and markings; and the railway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from roadex.world.character import Character
from roadex.world.frame import (
    Canvas,
    FloatArray,
    Frame,
    coverage,
    draw_lines,
    fill_corners,
    fill_shape,
)
from roadex.world.roads import ROAD_CLASSES, lanes_of_road
from roadex.world.scene import Scene, lay, overlay
from roadex.world.shapes import beside, dashes, parallelogram, points_at, stretch
from roadex.world.surface import road_lines, road_surface, turning_circles
from roadex.world.texture import Colour, jitter, scaled

TOWN_CLASSES = ("arterial", "collector", "residential")
_DECK_M = 6.0
_SHOULDER_M = 1.5


@dataclass(frozen=True)
class Street:
    """A stretch of road (n, 2) in metres that has one surface."""

    line: FloatArray
    width_m: float
    road_class: str

    @property
    def length_m(self) -> float:
        """Its length along the line."""
        return float(np.hypot(*np.diff(self.line, axis=0).T).sum())

    @property
    def paved(self) -> bool:
        """Whether roads of its class have asphalt or concrete."""
        return ROAD_CLASSES[self.road_class].paved


def streets_of(scene: Scene, layer: int) -> list[Street]:
    """The streets of a layer in the order of painting: important and long ones last."""
    parts: dict[int, list[shapely.LineString]] = {}
    traits: dict[int, dict[str, Any]] = {}
    for line, data in road_lines(scene.plan.graph, layer):
        parts.setdefault(data["street"], []).append(line)
        traits[data["street"]] = data
    streets = []
    for number, lines in parts.items():
        whole = shapely.line_merge(shapely.MultiLineString(lines))
        for piece in shapely.get_parts(whole):
            data = traits[number]
            coordinates = shapely.get_coordinates(piece)
            streets.append(Street(coordinates, data["width_m"], data["road_class"]))
    return sorted(streets, key=lambda s: (-ROAD_CLASSES[s.road_class].rank, s.length_m))


def paint_railway(scene: Scene, rng: np.random.Generator) -> None:
    """Ballast, sleepers and rails of a single or double track."""
    line = scene.plan.railway
    if line is None:
        return
    frame = scene.frame
    tracks = 1 + int(rng.random() < 0.5)
    offsets = [0.0] if tracks == 1 else [-2.1, 2.1]
    ballast = jitter(rng, (112, 102, 94), 10)
    bed = shapely.LineString(line).buffer(2.6 + 2.1 * (tracks - 1))
    lay(scene, coverage([bed], frame), ballast, 0.95, rough=2.0)
    for offset in offsets:
        track = beside(line, offset)
        draw_lines(scene.canvas, [track], scaled(ballast, 0.8), frame, 2.2)
        for side in (-0.75, 0.75):
            draw_lines(scene.canvas, [beside(track, side)], (150, 140, 132), frame, 0.1)


def paint_roads(scene: Scene, layer: int, rng: np.random.Generator) -> list[Street]:
    """Paint the roads of a layer; returns them."""
    streets = streets_of(scene, layer)
    if not streets:
        return streets
    if layer == 0:
        _paint_margins(scene, rng)
    alpha = coverage([scene.plan.surfaces[layer]], scene.frame, scale=3)
    sheet = _asphalt_sheet(scene, streets, rng)
    _paint_wear(sheet, streets, scene.frame, rng)
    rough = 1 + scene.bank.mix(wide=0.04, broad=0.035, patchy=0.03, small=0.025, fine=0.03)
    overlay(scene, sheet * rough[..., None], alpha)
    return streets


def _paint_margins(scene: Scene, rng: np.random.Generator) -> None:
    """Verges, pavements and kerbs along streets, and dusty shoulders along other roads."""
    graph = scene.plan.graph
    roads = [road for road in road_lines(graph, 0) if road[1]["road_class"] in TOWN_CLASSES]
    lines = [line for line, _ in roads]
    halves = np.array([data["width_m"] / 2 for _, data in roads])
    if not scene.character.pavements:
        dusty = shapely.buffer(lines, halves + rng.uniform(0.4, 1.4), quad_segs=3)
        lay(scene, coverage(dusty, scene.frame), scene.character.climate.soil[1], 0.55)
        return
    verge = float(rng.choice([0.25, rng.uniform(1.0, 3.2)], p=[0.35, 0.65]))
    slab = jitter(rng, scene.character.concrete, 8)
    grass = jitter(rng, scene.character.climate.lawn[0], 5)
    layers = [(verge + rng.uniform(1.2, 1.8), slab), (verge, grass if verge > 0.8 else slab)]
    layers += [(0.3, jitter(rng, scene.character.concrete, 8))]
    for wider, colour in layers:
        rims = shapely.buffer(lines, halves + wider, cap_style="flat", quad_segs=2)
        shapes = [*rims, *turning_circles(graph, wider)]
        lay(scene, coverage(shapes, scene.frame), colour, rng.uniform(0.7, 0.95))


def road_colour(character: Character, road_class: str, rng: np.random.Generator) -> Colour:
    """The colour of a road's surface: asphalt old or new, concrete, or earth."""
    if not ROAD_CLASSES[road_class].paved:
        return jitter(rng, character.climate.soil[1], 8)
    if road_class == "service" and rng.random() < 0.6:
        return jitter(rng, scaled(character.concrete, 0.9), 8)
    if rng.random() < (0.4 if road_class == "motorway" else 0.08):
        return jitter(rng, character.concrete, 6)
    if rng.random() < 0.15:
        return jitter(rng, scaled(character.asphalt, 0.72), 5)
    return jitter(rng, character.asphalt, 5)


def _asphalt_sheet(scene: Scene, streets: list[Street], rng: np.random.Generator) -> Canvas:
    """Every street in its own colour, more important ones over others."""
    frame = scene.frame
    sheet = np.empty((*frame.shape, 3), dtype=np.uint8)
    sheet[:] = np.array(scene.character.asphalt, dtype=np.uint8)
    for street in streets:
        colour = road_colour(scene.character, street.road_class, rng)
        reach = street.width_m / 2 + _SHOULDER_M
        wide = shapely.LineString(street.line).buffer(reach, cap_style="flat", quad_segs=4)
        fill_shape(sheet, wide, colour, frame)
        if street.paved and rng.random() < 0.6:
            _paint_patches(sheet, street, colour, frame, rng)
    return sheet


def _paint_patches(
    sheet: Canvas, street: Street, colour: Colour, frame: Frame, rng: np.random.Generator
) -> None:
    """Mended stretches, some over the whole width."""
    for _ in range(rng.poisson(street.length_m / 80)):
        start = rng.uniform(0, street.length_m)
        piece = stretch(street.line, start, start + rng.uniform(2, 25))
        lane, width = rng.choice([-1, 0, 1]) / 4, rng.uniform(0.12, 0.28)
        if rng.random() < 0.2:
            lane, width = 0.0, 0.55
        axis = shapely.LineString(beside(piece, lane * street.width_m))
        patch: BaseGeometry = axis.buffer(width * street.width_m, cap_style="flat")
        fill_shape(sheet, patch, scaled(colour, rng.uniform(0.8, 1.14)), frame)


def _paint_wear(
    sheet: Canvas, streets: list[Street], frame: Frame, rng: np.random.Generator
) -> None:
    """Lanes darker or paler in their middle, dirty gutters, and cracks filled with tar."""
    strength, gutter = rng.uniform(-0.14, 0.1), rng.uniform(0.0, 0.08)
    mark = np.full(frame.shape, 128, dtype=np.uint8)
    edges = np.zeros(frame.shape, dtype=np.uint8)
    for street in streets:
        lanes = [beside(street.line, lane) for lane in _lane_offsets(street)]
        draw_lines(mark, lanes, 255, frame, 1.2)
        sides = [beside(street.line, side * street.width_m / 2) for side in (-1, 1)]
        draw_lines(edges, sides, 255, frame, 1.2)
    soft = cv2.GaussianBlur(mark, (0, 0), 0.7 / frame.gsd).astype(np.float32) - 128
    dirt = cv2.GaussianBlur(edges, (0, 0), 0.6 / frame.gsd).astype(np.float32)
    factor = 1 + np.float32(strength / 127) * soft - np.float32(gutter / 255) * dirt
    sheet[:] = np.clip(sheet * factor[..., None], 0, 255).astype(np.uint8)
    for street in streets:
        if street.paved:
            _paint_cracks(sheet, street, frame, rng)


def _paint_cracks(sheet: Canvas, street: Street, frame: Frame, rng: np.random.Generator) -> None:
    paths = []
    for _ in range(rng.poisson(street.length_m / 110)):
        at = street.line[int(rng.integers(len(street.line)))]
        paths.append(at + np.cumsum(rng.normal(0, street.width_m / 9, size=(4, 2)), axis=0))
    tone = float(rng.uniform(52, 84))
    draw_lines(sheet, paths, (tone, tone, tone), frame, 0.1)


def _lane_offsets(street: Street) -> list[float]:
    if street.road_class in ("service", "track"):
        return [0.0]
    lanes = max(2, round(street.width_m / 3.6))
    return [street.width_m * ((lane + 0.5) / lanes - 0.5) for lane in range(lanes)]


def raise_decks(scene: Scene, layer: int) -> None:
    """Give the roads of a layer the height of a bridge where they cross the other layer's."""
    graph = scene.plan.graph
    other = road_surface(graph, 1 - layer, wider_m=6)
    if other.is_empty:
        return
    for line, data in road_lines(graph, layer):
        deck = line.buffer(data["width_m"] / 2 + 0.6, cap_style="flat").intersection(other)
        fill_shape(scene.heights, deck, _DECK_M, scene.frame)


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
