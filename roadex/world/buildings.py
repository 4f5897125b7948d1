"""Buildings: where they stand, how high they are, and how their roofs are painted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from roadex.world.character import Character
from roadex.world.frame import FloatArray, draw_lines, fill_corners
from roadex.world.landuse import Block
from roadex.world.lots import Lot, Neighbourhood
from roadex.world.scene import Occupancy, Scene
from roadex.world.shapes import Axes, size_of
from roadex.world.texture import Colour, choose, jitter, scaled


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
        wing = _wing(lot, parts[0], across, habit.setback + depth, rng)
        parts += [_joined(wing, lot)] if ground.try_quad(wing.corners) else []
    if rng.random() < 0.45:
        parts += _shed(lot, palette, ground, rng)
    return parts


def _wing(
    lot: Lot, house: Building, across: float, behind_m: float, rng: np.random.Generator
) -> Building:
    """A narrower part that grows out of the back of a house."""
    width, _ = size_of(house.corners)
    size = width * rng.uniform(0.4, 0.65)
    side = rng.choice([-0.5, 0.5]) * (width - size)
    corners = lot.quad(across + side, behind_m + 0.7, size, rng.uniform(3, 6))
    return replace(house, corners=corners, height_m=0.85 * house.height_m)


def _joined(wing: Building, lot: Lot) -> Building:
    """A wing, drawn on into the house it belongs to."""
    front = np.array([[1], [1], [0], [0]])
    return replace(wing, corners=wing.corners - 0.9 * lot.out * front)


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
    axes = Axes.around(block.shape)
    for _ in range(tries):
        start = axes.point_in(rng, 0.9)
        corners = axes.quad(start, rng.uniform(12, 55), rng.uniform(12, 42))
        if block.shape.contains(shapely.Polygon(corners)) and ground.try_quad(corners):
            colour = jitter(rng, _hall_colour(character, rng), 8)
            halls.append(Building(corners, rng.uniform(5, 13), "flat", colour))
    return halls


def _hall_colour(character: Character, rng: np.random.Generator) -> Colour:
    tone = float(rng.choice([186, 164, 142, 112, 82, 60], p=[0.25, 0.2, 0.2, 0.15, 0.1, 0.1]))
    if rng.random() < 0.2:
        return choose(rng, character.climate.roofs)
    return tone, tone, tone + 2


def paint_buildings(scene: Scene, buildings: list[Building], rng: np.random.Generator) -> None:
    """Paint the roofs of buildings and raise the heights, which gives the shadows."""
    roofs = np.zeros(scene.frame.shape, dtype=np.uint8)
    for building in buildings:
        fill_corners(roofs, building.corners, 255, scene.frame)
        fill_corners(scene.heights, building.corners, building.height_m, scene.frame)
        if building.roof == "plain":
            fill_corners(scene.canvas, building.corners, building.colour, scene.frame)
        elif building.roof == "flat":
            _paint_flat(scene, building, rng)
        else:
            _paint_pitched(scene, building)
    rough = scene.bank.mix(clumpy=0.02, small=0.03, fine=0.03)
    factor = 1 + rough * roofs.astype(np.float32) * np.float32(1 / 255)
    scene.canvas[:] = np.clip(scene.canvas * factor[..., None], 0, 255).astype(np.uint8)


def _paint_flat(scene: Scene, building: Building, rng: np.random.Generator) -> None:
    """A roof with a brighter rim and machinery."""
    canvas, frame = scene.canvas, scene.frame
    corners, colour = building.corners, building.colour
    rim = scaled(colour, rng.uniform(1.05, 1.25))
    fill_corners(canvas, corners, rim, frame)
    middle = corners.mean(axis=0)
    inner = middle + (corners - middle) * (1 - 1.6 / min(size_of(corners)))
    fill_corners(canvas, inner, colour, frame)
    for _ in range(rng.poisson(float(np.prod(size_of(corners))) / 160)):
        size = rng.uniform(0.7, 2.6, size=2)
        u, v = rng.uniform(0.12, 0.85, size=2)
        start = corners[0] + u * (corners[1] - corners[0]) + v * (corners[3] - corners[0])
        box = start + np.array([[0, 0], [size[0], 0], size, [0, size[1]]])
        tone = float(np.clip(np.mean(colour) + rng.choice([-45, -25, 35, 55]), 20, 240))
        fill_corners(canvas, box, (tone, tone, tone), frame)


def _paint_pitched(scene: Scene, building: Building) -> None:
    """Faces as bright as they look to the sun, and the ridge between them."""
    azimuth = scene.character.sun_azimuth
    light = -np.array([np.cos(azimuth), np.sin(azimuth)])
    faces, ridge = _faces(building)
    middle = building.corners.mean(axis=0)
    for face in faces:
        facing = face[:2].mean(axis=0) - middle
        facing = facing / max(np.hypot(*facing), 1e-6)
        shade = 1 + 0.3 * float(facing @ light)
        fill_corners(scene.canvas, face, scaled(building.colour, shade), scene.frame)
    draw_lines(scene.canvas, [ridge], scaled(building.colour, 1.18), scene.frame, 0.1)


def _faces(building: Building) -> tuple[list[FloatArray], FloatArray]:
    """The faces of a pitched roof, the eaves first in each, and its ridge (2, 2)."""
    width, depth = size_of(building.corners)
    turned = width < depth
    a, b, c, d = np.roll(building.corners, 1, axis=0) if turned else building.corners
    inset = 0.0 if building.roof == "gable" else 0.5 * min(width, depth) / max(width, depth)
    ridge_a = (a + d) / 2 + inset * (b - a)
    ridge_b = (b + c) / 2 - inset * (b - a)
    faces = [np.array([a, b, ridge_b, ridge_a]), np.array([c, d, ridge_a, ridge_b])]
    if inset:
        faces += [np.array([b, c, ridge_b]), np.array([d, a, ridge_a])]
    return faces, np.array([ridge_a, ridge_b])
