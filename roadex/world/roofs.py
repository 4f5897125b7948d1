"""Painting roofs."""

from __future__ import annotations

import numpy as np

from roadex.world.buildings import Building
from roadex.world.colours import scaled
from roadex.world.frame import FloatArray, draw_lines, fill_corners
from roadex.world.scene import Scene
from roadex.world.shapes import size_of


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
