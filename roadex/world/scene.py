"""A tile while it is being painted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.config.world import WorldSettings
from roadex.world.character import Character
from roadex.world.colours import Colour
from roadex.world.frame import Canvas, Frame, Sheet
from roadex.world.occupancy import Occupancy
from roadex.world.plan import Plan
from roadex.world.texture import TextureBank, extent


@dataclass
class Scene:
    """What the painters of a tile share.

    `canvas` (H, W, 3) holds the colours that surfaces have in full light and `heights` (H, W) how
    many metres they stand above the ground. Painters change both in place.
    """

    settings: WorldSettings
    character: Character
    plan: Plan
    frame: Frame
    bank: TextureBank
    ground: Occupancy
    canvas: Canvas
    heights: Sheet


def overlay(scene: Scene, top: NDArray[np.float32], alpha: Sheet) -> None:
    """Lay colours (H, W, 3) over the canvas as far as alpha (H, W) covers it."""
    where = extent(alpha)
    if alpha[where].size:
        mixed = scene.canvas[where].astype(np.float32)
        mixed += (top[where] - mixed) * alpha[where][..., None]
        scene.canvas[where] = cv2.convertScaleAbs(mixed)


def lay(
    scene: Scene, alpha: Sheet, colour: Colour, strength: float = 1.0, rough: float = 1.0
) -> None:
    """Lay one material over the canvas as far as alpha (H, W) covers it."""
    where = extent(alpha)
    if alpha[where].size:
        tone = 1 + np.float32(0.065 * rough) * scene.bank.field("rough", where)
        mixed = scene.canvas[where].astype(np.float32)
        top = np.asarray(colour, np.float32) * tone[..., None]
        mixed += (top - mixed) * (np.float32(strength) * alpha[where])[..., None]
        scene.canvas[where] = cv2.convertScaleAbs(mixed)
