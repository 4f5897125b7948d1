"""Painting open ground: meadows, lawns, gardens, soil and the floor of woods."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from roadex.world.character import Climate
from roadex.world.colours import scaled
from roadex.world.fields import paint_fields
from roadex.world.frame import coverage
from roadex.world.landuse import Block
from roadex.world.scene import Scene
from roadex.world.texture import TextureBank, blend, ramp

Image = NDArray[np.float32]


def paint_ground(scene: Scene, blocks: list[Block], rng: np.random.Generator) -> None:
    """Paint the bare ground of every block."""
    climate, bank = scene.character.climate, scene.bank
    image = _meadow(climate, bank)
    for use in sorted({block.use for block in blocks} & set(_COVERS)):
        shapes = [block.shape for block in blocks if block.use == use]
        blend(image, _COVERS[use](climate, bank), coverage(shapes, scene.frame))
    paint_fields(image, scene, blocks, rng)
    scene.canvas[:] = cv2.convertScaleAbs(image)


def _meadow(climate: Climate, bank: TextureBank) -> Image:
    amount = 0.5 + bank.mix(broad=0.2, patchy=0.14, clumpy=0.1, small=0.12, fine=0.16)
    return ramp(*climate.wild, amount)


def _lawn(climate: Climate, bank: TextureBank) -> Image:
    amount = 0.45 + bank.mix(broad=0.18, patchy=0.14, clumpy=0.07, small=0.12, fine=0.16)
    return ramp(*climate.lawn, amount)


def _garden(climate: Climate, bank: TextureBank) -> Image:
    image = _lawn(climate, bank)
    soil = ramp(*climate.soil, 0.4 + bank.mix(patchy=0.2, small=0.15, fine=0.1))
    blend(image, soil, np.clip(bank.mix(patchy=0.35, clumpy=0.3) - 0.15, 0, 0.8))
    return image


def _bare(climate: Climate, bank: TextureBank) -> Image:
    amount = 0.5 + bank.mix(broad=0.25, patchy=0.16, clumpy=0.1, small=0.12, fine=0.14)
    return ramp(*climate.soil, amount)


def _forest_floor(climate: Climate, bank: TextureBank) -> Image:
    return ramp(
        scaled(climate.wild[0], 0.75),
        climate.soil[0],
        0.3 + bank.mix(patchy=0.2, clumpy=0.2, small=0.15, fine=0.1),
    )


_COVERS: dict[str, Callable[[Climate, TextureBank], Image]] = {
    "residential": _garden,
    "park": _lawn,
    "woodland": _forest_floor,
    "bare": _bare,
}
