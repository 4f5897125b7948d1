"""Painting roads: pavements, kerbs, asphalt, wear, patches and markings; and the railway."""

from __future__ import annotations

import cv2
import networkx as nx
import numpy as np
import shapely

from roadex.data.synthetic.character import Character, jitter
from roadex.data.synthetic.frame import (
    Canvas,
    Colour,
    FloatArray,
    Frame,
    Sheet,
    coverage,
    draw_lines,
    fill_corners,
    fill_shape,
)
from roadex.data.synthetic.lines import beside, dashes, stretch
from roadex.data.synthetic.roads import ROAD_CLASSES
from roadex.data.synthetic.scene import Scene
from roadex.data.synthetic.surface import road_lines, road_surface, turning_circles

_MARKING: Colour = (214, 212, 204)
_DECK_M = 6.0
_TOWN = ("arterial", "collector", "residential")


def paint_railway(scene: Scene, rng: np.random.Generator) -> None:
    """Ballast, sleepers and rails of a single or double track."""
    line = scene.plan.railway
    if line is None:
        return
    frame = scene.frame
    tracks = 1 + int(rng.random() < 0.5)
    offsets = [0.0] if tracks == 1 else [-2.1, 2.1]
    ballast = jitter(rng, (118, 106, 96), 10)
    bed = shapely.LineString(line).buffer(2.6 + 2.1 * (tracks - 1))
    fill_shape(scene.canvas, bed, ballast, frame)
    for offset in offsets:
        track = beside(line, offset)
        sleepers = tuple(0.8 * c for c in ballast)
        draw_lines(scene.canvas, [track], sleepers, frame, 2.2)
        for side in (-0.75, 0.75):
            draw_lines(scene.canvas, [beside(track, side)], (150, 140, 132), frame, 0.1)


def paint_roads(scene: Scene, layer: int, rng: np.random.Generator) -> Sheet:
    """Paint the roads of a layer; returns how much of each pixel they cover."""
    graph = scene.plan.graph
    roads = road_lines(graph, layer)
    if not roads:
        return np.zeros(scene.frame.shape, dtype=np.float32)
    if layer == 0 and scene.character.pavements:
        _paint_pavements(scene, rng)
    alpha = coverage([road_surface(graph, layer)], scene.frame, scale=3)
    sheet = _asphalt_sheet(scene, layer, rng)
    _paint_wear(sheet, roads, scene.frame, rng)
    rough = 1 + scene.bank.mix(wide=0.05, broad=0.035, patchy=0.03, small=0.02, fine=0.025)
    top = sheet * rough[..., None]
    under = scene.canvas.astype(np.float32)
    under += (top - under) * alpha[..., None]
    scene.canvas[:] = np.clip(under, 0, 255).astype(np.uint8)
    _paint_markings(scene, roads, rng)
    return alpha


def _paint_pavements(scene: Scene, rng: np.random.Generator) -> None:
    """Verges, pavements and kerbs along streets, each layer of all streets before the next."""
    lines, widths = [], []
    for line, data in road_lines(scene.plan.graph, 0):
        if data["road_class"] in _TOWN:
            lines.append(line)
            widths.append(data["width_m"] / 2)
    verge = rng.uniform(0.3, 3.0)
    grass = scene.character.climate.lawn[0]
    layers = [
        (verge + 1.5, jitter(rng, scene.character.concrete, 8)),
        (verge, grass if verge > 0.8 else scene.character.concrete),
        (0.35, jitter(rng, scene.character.concrete, 8)),
    ]
    for wider, colour in layers:
        shapes = shapely.buffer(lines, np.array(widths) + wider, cap_style="flat", quad_segs=3)
        outline = np.concatenate([shapes, turning_circles(scene.plan.graph, wider)])
        _lay(scene, coverage(outline, scene.frame), colour, 0.92)


def _lay(scene: Scene, alpha: Sheet, colour: Colour, strength: float) -> None:
    tone = 1 + scene.bank.mix(patchy=0.04, small=0.05, fine=0.04)
    top = np.asarray(colour, np.float32) * tone[..., None]
    under = scene.canvas.astype(np.float32)
    under += (top - under) * (strength * alpha)[..., None]
    scene.canvas[:] = np.clip(under, 0, 255).astype(np.uint8)


def road_colour(character: Character, road_class: str, rng: np.random.Generator) -> Colour:
    """The colour of a road's surface: asphalt old or new, concrete, or earth."""
    if not ROAD_CLASSES[road_class].paved:
        return jitter(rng, character.climate.soil[1], 8)
    if road_class == "service" and rng.random() < 0.6:
        return jitter(rng, tuple(0.9 * c for c in character.concrete), 8)
    if rng.random() < 0.1:
        return jitter(rng, character.concrete, 6)
    if rng.random() < 0.15:
        return jitter(rng, tuple(0.72 * c for c in character.asphalt), 5)
    return jitter(rng, character.asphalt, 6)


def _asphalt_sheet(scene: Scene, layer: int, rng: np.random.Generator) -> Canvas:
    """Every road in its own colour, more important ones over others, on bare asphalt."""
    frame, character = scene.frame, scene.character
    sheet = np.empty((*frame.shape, 3), dtype=np.uint8)
    sheet[:] = np.array(road_colour(character, "residential", rng), dtype=np.uint8)
    for line, data in road_lines(scene.plan.graph, layer):
        colour = road_colour(character, data["road_class"], rng)
        wide = line.buffer(data["width_m"] / 2 + 1.5, quad_segs=4)
        fill_shape(sheet, wide, colour, frame)
        if rng.random() < 0.5:
            _paint_patches(sheet, line, data["width_m"], colour, frame, rng)
    return sheet


def _paint_patches(
    sheet: Canvas,
    line: shapely.LineString,
    width: float,
    colour: Colour,
    frame: Frame,
    rng: np.random.Generator,
) -> None:
    """Mended stretches of a road."""
    for _ in range(rng.poisson(line.length / 90)):
        start = rng.uniform(0, line.length)
        piece = stretch(shapely.get_coordinates(line), start, start + rng.uniform(2, 25))
        axis = shapely.LineString(beside(piece, rng.choice([-1, 0, 1]) * width / 4))
        patch = axis.buffer(width * rng.uniform(0.12, 0.28), cap_style="flat")
        shade = rng.uniform(0.8, 1.14)
        fill_shape(sheet, patch, tuple(c * shade for c in colour), frame)


def _paint_wear(
    sheet: Canvas, roads: list[tuple[shapely.LineString, dict]], frame: Frame, rng: np.random.Generator
) -> None:
    """Darker lane centres, paler wheel tracks, and cracks filled with tar."""
    strength = rng.uniform(-0.12, 0.08)
    mark = np.full(frame.shape, 128, dtype=np.uint8)
    for line, data in roads:
        for lane in _lane_offsets(data["width_m"], data["road_class"]):
            path = beside(shapely.get_coordinates(line), lane)
            draw_lines(mark, [path], 255, frame, 1.2)
    soft = cv2.GaussianBlur(mark, (0, 0), 0.7 / frame.gsd).astype(np.float32) - 128
    factor = 1 + np.float32(strength / 127) * soft
    sheet[:] = np.clip(sheet * factor[..., None], 0, 255).astype(np.uint8)
    for line, data in roads:
        if ROAD_CLASSES[data["road_class"]].paved:
            _paint_cracks(sheet, line, data["width_m"], frame, rng)


def _paint_cracks(
    sheet: Canvas, line: shapely.LineString, width: float, frame: Frame, rng: np.random.Generator
) -> None:
    for _ in range(rng.poisson(line.length / 60)):
        at = np.array(line.interpolate(rng.uniform(0, line.length)).coords[0])
        path = at + np.cumsum(rng.normal(0, width / 5, size=(4, 2)), axis=0)
        tone = float(rng.uniform(48, 80))
        draw_lines(sheet, [path], (tone, tone, tone), frame, 0.1)


def _lane_offsets(width: float, road_class: str) -> list[float]:
    if road_class in ("service", "track"):
        return [0.0]
    lanes = max(2, round(width / 3.6))
    return [width * ((lane + 0.5) / lanes - 0.5) for lane in range(lanes)]


def _paint_markings(
    scene: Scene, roads: list[tuple[shapely.LineString, dict]], rng: np.random.Generator
) -> None:
    """Centre, lane and edge lines, as far as a class of road has them, worn to a degree."""
    faint = rng.uniform(0.25, 0.9)
    centre = (206, 178, 92) if rng.random() < 0.5 else _MARKING
    over = scene.canvas.copy()
    for line, data in roads:
        if line.length < 25 or data["road_class"] not in ("motorway", "arterial", "collector"):
            continue
        inner = stretch(shapely.get_coordinates(line), 9, line.length - 9)
        solid, dashed = _marking_offsets(data["width_m"], data["road_class"])
        for offset in solid:
            colour = centre if offset == 0 else _MARKING
            draw_lines(over, [beside(inner, offset)], colour, scene.frame, 0.15)
        for offset in dashed:
            broken = dashes(beside(inner, offset), 3.5, 11.0)
            draw_lines(over, broken, _MARKING, scene.frame, 0.15)
    scene.canvas[:] = cv2.addWeighted(over, faint, scene.canvas, 1 - faint, 0)


def _marking_offsets(width: float, road_class: str) -> tuple[list[float], list[float]]:
    edge = width / 2 - 0.6
    if road_class == "motorway":
        return [-edge, edge], [-width / 6, width / 6]
    if road_class == "arterial":
        return [0.0, -edge], [-width / 4, width / 4]
    return [0.0], []


def raise_decks(scene: Scene, graph: nx.MultiGraph, layer: int) -> None:
    """Give the roads of a layer the height of a bridge where they cross the other layer's."""
    other = road_surface(graph, 1 - layer, wider_m=6)
    for line, data in road_lines(graph, layer):
        deck = line.buffer(data["width_m"] / 2 + 0.6, cap_style="flat").intersection(other)
        fill_shape(scene.heights, deck, _DECK_M, scene.frame)


def paint_crossings(scene: Scene, rng: np.random.Generator) -> None:
    """Zebra stripes on some arms of town junctions."""
    graph = scene.plan.graph
    for node, degree in graph.degree():
        if degree < 3 or rng.random() < 0.65:
            continue
        here = np.array([graph.nodes[node]["x"], graph.nodes[node]["y"]])
        for _, _, data in graph.edges(node, data=True):
            if data["road_class"] in _TOWN and data["length"] > 40:
                _paint_zebra(scene, here, data)


def _paint_zebra(scene: Scene, here: FloatArray, data: dict) -> None:
    line = data["geometry"]
    if np.hypot(*(line[0] - here)) > np.hypot(*(line[-1] - here)):
        line = line[::-1]
    axis = shapely.LineString(line)
    at, on = (np.array(axis.interpolate(d).coords[0]) for d in (9.0, 12.0))
    along = (on - at) / max(np.hypot(*(on - at)), 1e-9)
    out = np.array([-along[1], along[0]])
    for offset in np.arange(-data["width_m"] / 2 + 0.5, data["width_m"] / 2 - 0.5, 1.2):
        start = at + offset * out
        box = np.array([start, start + 2.6 * along, start + 2.6 * along + 0.55 * out, start + 0.55 * out])
        fill_corners(scene.canvas, box, _MARKING, scene.frame)
