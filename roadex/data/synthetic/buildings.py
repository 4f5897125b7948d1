"""Buildings: where they stand, how high, and how their roofs are painted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import shapely

from roadex.data.synthetic.character import Character
from roadex.data.synthetic.colours import Colour, choose, jitter, scaled
from roadex.data.synthetic.frame import (
    SHIFT,
    Canvas,
    FloatArray,
    Frame,
    Sheet,
    fill_corners,
)
from roadex.data.synthetic.landuse import Block
from roadex.data.synthetic.lots import Lot, Neighbourhood
from roadex.data.synthetic.occupancy import Occupancy


@dataclass(frozen=True)
class Building:
    """A rectangle, corners (4, 2) in metres, with a roof: `flat`, `plain`, `gable` or `hip`.

    The ridge runs parallel to the longer side.
    """

    corners: FloatArray
    height_m: float
    roof: str
    colour: Colour


def house_on(
    lot: Lot,
    habit: Neighbourhood,
    ground: Occupancy,
    palette: tuple[Colour, ...],
    rng: np.random.Generator,
) -> list[Building]:
    """A house, perhaps with a wing, and perhaps a shed behind it, as far as there is room."""
    width = min(lot.width_m - habit.gap * rng.uniform(0.6, 1.4), rng.uniform(8, 17))
    depth = rng.uniform(*habit.depth)
    across = rng.uniform(-0.5, 0.5) * max(0.0, lot.width_m - width - 2)
    corners = lot.quad(across, habit.setback + rng.normal(0, 0.5), width, depth)
    if not ground.try_quad(corners):
        return []
    colour = jitter(rng, choose(rng, palette), 7)
    roof = str(rng.choice(["gable", "hip", "flat"], p=[0.5, 0.35, 0.15]))
    height = rng.uniform(4.5, 8.0)
    parts = [Building(corners, height, roof, colour)]
    if rng.random() < 0.4:
        parts += _wing(lot, across, habit.setback + depth, width, height, roof, colour, ground, rng)
    if rng.random() < 0.45:
        parts += _shed(lot, palette, ground, rng)
    return parts


def _wing(
    lot: Lot,
    across: float,
    behind_m: float,
    width: float,
    height: float,
    roof: str,
    colour: Colour,
    ground: Occupancy,
    rng: np.random.Generator,
) -> list[Building]:
    size = width * rng.uniform(0.4, 0.65)
    side = rng.choice([-0.5, 0.5]) * (width - size)
    corners = lot.quad(across + side, behind_m + 0.7, size, rng.uniform(3, 6))
    if not ground.try_quad(corners):
        return []
    corners = corners - 0.9 * lot.out * np.array([[1], [1], [0], [0]])
    return [Building(corners, height * 0.85, roof, colour)]


def _shed(
    lot: Lot, palette: tuple[Colour, ...], ground: Occupancy, rng: np.random.Generator
) -> list[Building]:
    size = rng.uniform(3, 6.5, size=2)
    across = rng.choice([-0.5, 0.5]) * max(0.0, lot.width_m - size[0] - 1)
    corners = lot.quad(across, lot.depth_m - size[1] - 0.5, size[0], size[1])
    if not ground.try_quad(corners):
        return []
    colour = jitter(rng, choose(rng, palette), 10)
    return [Building(corners, rng.uniform(2.4, 3.2), str(rng.choice(["gable", "flat"])), colour)]


def halls_in(
    block: Block, character: Character, ground: Occupancy, tries: int, rng: np.random.Generator
) -> list[Building]:
    """Large flat buildings at random places of a commercial block, aligned to it."""
    halls = []
    frame_corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(block.shape))[:4]
    sides = np.diff(frame_corners[[0, 1, 2]], axis=0)
    axes = sides / np.maximum(np.hypot(*sides.T), 1e-9)[:, None]
    for _ in range(tries):
        start = frame_corners[0] + rng.uniform(0, 0.9, 2) @ sides
        size = rng.uniform(12, 55), rng.uniform(12, 42)
        step_a, step_b = size[0] * axes[0], size[1] * axes[1]
        corners = np.array([start, start + step_a, start + step_a + step_b, start + step_b])
        if block.shape.contains(shapely.Polygon(corners)) and ground.try_quad(corners):
            colour = jitter(rng, _hall_colour(character, rng), 8)
            halls.append(Building(corners, rng.uniform(5, 13), "flat", colour))
    return halls


def _hall_colour(character: Character, rng: np.random.Generator) -> Colour:
    tone = float(rng.choice([186, 164, 142, 112, 82, 60], p=[0.25, 0.2, 0.2, 0.15, 0.1, 0.1]))
    if rng.random() < 0.2:
        return choose(rng, character.climate.roofs)
    return tone, tone, tone + 2


def paint_building(
    canvas: Canvas,
    roofs: Canvas,
    heights: Sheet,
    building: Building,
    character: Character,
    frame: Frame,
    rng: np.random.Generator,
) -> None:
    """Paint a roof on the canvas, mark it on `roofs` (H, W) and raise the `heights`."""
    fill_corners(roofs, building.corners, 255, frame)
    fill_corners(heights, building.corners, building.height_m, frame)
    if building.roof == "plain":
        fill_corners(canvas, building.corners, building.colour, frame)
    elif building.roof == "flat":
        _paint_flat(canvas, building, frame, rng)
    else:
        _paint_pitched(canvas, building, character, frame)


def _paint_flat(canvas: Canvas, building: Building, frame: Frame, rng: np.random.Generator) -> None:
    corners, colour = building.corners, building.colour
    rim = scaled(colour, rng.uniform(1.05, 1.25))
    fill_corners(canvas, corners, rim, frame)
    middle = corners.mean(axis=0)
    inner = middle + (corners - middle) * (1 - 0.8 / _half_extent(corners))
    fill_corners(canvas, inner, colour, frame)
    for _ in range(rng.poisson(_area(corners) / 160)):
        size = rng.uniform(0.7, 2.6, size=2)
        u, v = rng.uniform(0.12, 0.85, size=2)
        start = corners[0] + u * (corners[1] - corners[0]) + v * (corners[3] - corners[0])
        box = start + np.array([[0, 0], [size[0], 0], size, [0, size[1]]])
        tone = float(np.clip(np.mean(colour) + rng.choice([-45, -25, 35, 55]), 20, 240))
        fill_corners(canvas, box, (tone, tone, tone), frame)


def _paint_pitched(canvas: Canvas, building: Building, character: Character, frame: Frame) -> None:
    corners = building.corners
    if np.hypot(*(corners[1] - corners[0])) < np.hypot(*(corners[3] - corners[0])):
        corners = np.roll(corners, 1, axis=0)
    a, b, c, d = corners
    inset = 0.0 if building.roof == "gable" else 0.5 * np.hypot(*(d - a)) / np.hypot(*(b - a))
    ridge_a = (a + d) / 2 + inset * (b - a)
    ridge_b = (b + c) / 2 - inset * (b - a)
    faces = [np.array([a, b, ridge_b, ridge_a]), np.array([c, d, ridge_a, ridge_b])]
    if inset:
        faces += [np.array([b, c, ridge_b]), np.array([d, a, ridge_a])]
    middle = corners.mean(axis=0)
    light = -np.array([np.cos(character.sun_azimuth), np.sin(character.sun_azimuth)])
    for face in faces:
        facing = (face[:2].mean(axis=0) - middle) / max(_half_extent(corners), 1e-6)
        facing = facing / max(np.hypot(*facing), 1e-6)
        shade = 1 + 0.3 * float(facing @ light)
        fill_corners(canvas, face, scaled(building.colour, shade), frame)
    ridge = frame.fixed(np.array([ridge_a, ridge_b]))
    bright = scaled(building.colour, 1.18)
    cv2.line(canvas, ridge[0].tolist(), ridge[1].tolist(), bright, 1, cv2.LINE_AA, SHIFT)


def _half_extent(corners: FloatArray) -> float:
    return float(
        min(np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[3] - corners[0]))) / 2
    )


def _area(corners: FloatArray) -> float:
    return float(
        4
        * _half_extent(corners)
        * max(np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[3] - corners[0])))
        / 2
    )
