"""A tile while it is being painted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roadex.data.synthetic.character import Character
from roadex.data.synthetic.frame import Canvas, Frame, Sheet
from roadex.data.synthetic.occupancy import Occupancy
from roadex.data.synthetic.plan import Plan
from roadex.data.synthetic.settings import WorldSettings
from roadex.data.synthetic.texture import TextureBank


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


def modulated(canvas: Canvas, factor: Sheet) -> Canvas:
    """A canvas whose colours are multiplied by factors (H, W)."""
    return np.clip(canvas * factor[..., None], 0, 255).astype(np.uint8)
