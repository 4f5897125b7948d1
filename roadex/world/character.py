"""What one tile as a whole is like: climate, season, light, asphalt, and its landscapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roadex.config.world import WorldSettings
from roadex.world.texture import Colour


@dataclass(frozen=True)
class Climate:
    """The colours of a part of the world in a season, RGB in 0..255 as a camera sees them."""

    lawn: tuple[Colour, Colour]
    wild: tuple[Colour, Colour]
    soil: tuple[Colour, Colour]
    crown: tuple[tuple[Colour, Colour], ...]
    crops: tuple[Colour, ...]
    roofs: tuple[Colour, ...]
    water: tuple[Colour, ...]
    trees: float = 1.0
    bare_trees: float = 0.0  # the share of trees that stand without leaves


_GREY_ROOFS = ((92, 88, 86), (70, 68, 68), (116, 112, 108), (96, 84, 74), (84, 72, 64))
_BRIGHT_ROOFS = ((208, 208, 206), (178, 180, 182), (150, 152, 156))
_BROWN_ROOFS = ((120, 92, 76), (104, 78, 62), (136, 100, 82), (112, 66, 54))

CLIMATES: dict[str, Climate] = {
    "summer": Climate(
        lawn=((70, 88, 50), (110, 124, 82)),
        wild=((70, 88, 46), (128, 126, 82)),
        soil=((116, 98, 76), (158, 140, 112)),
        crown=(((34, 56, 28), (70, 98, 44)), ((42, 62, 36), (86, 108, 56))),
        crops=((92, 112, 52), (142, 134, 78), (168, 148, 98), (110, 92, 70), (72, 98, 48)),
        roofs=(*_GREY_ROOFS, *_BROWN_ROOFS, *_BRIGHT_ROOFS),
        water=((42, 56, 52), (58, 72, 62), (66, 84, 90)),
    ),
    "spring": Climate(
        lawn=((58, 78, 38), (98, 100, 66)),
        wild=((84, 82, 54), (116, 104, 80)),
        soil=((102, 90, 76), (142, 130, 114)),
        crown=(((48, 66, 30), (84, 108, 48)), ((70, 64, 52), (100, 94, 78))),
        crops=((84, 104, 48), (126, 108, 82), (104, 84, 64), (148, 130, 96)),
        roofs=(*_GREY_ROOFS, *_GREY_ROOFS, *_BROWN_ROOFS, *_BRIGHT_ROOFS),
        water=((40, 48, 44), (56, 62, 54)),
        bare_trees=0.55,
    ),
    "late": Climate(
        lawn=((104, 100, 66), (140, 128, 92)),
        wild=((114, 96, 72), (142, 122, 92)),
        soil=((120, 100, 78), (150, 132, 108)),
        crown=(((104, 84, 64), (138, 114, 88)), ((44, 56, 36), (70, 82, 50))),
        crops=((138, 118, 86), (156, 138, 100), (112, 92, 72), (96, 108, 58)),
        roofs=(*_GREY_ROOFS, *_BROWN_ROOFS, *_BRIGHT_ROOFS),
        water=((36, 44, 48), (50, 60, 60)),
        bare_trees=0.75,
        trees=1.3,
    ),
    "arid": Climate(
        lawn=((150, 126, 96), (182, 156, 122)),
        wild=((158, 126, 94), (192, 158, 122)),
        soil=((166, 134, 102), (206, 174, 138)),
        crown=(((54, 60, 38), (92, 94, 58)),),
        crops=((176, 142, 104), (150, 120, 86), (104, 112, 62), (190, 160, 122)),
        roofs=((176, 150, 126), (154, 118, 96), (196, 178, 156), (168, 132, 108), *_BRIGHT_ROOFS),
        water=((58, 74, 70), (72, 86, 78)),
        trees=0.45,
    ),
    "tropical": Climate(
        lawn=((80, 92, 50), (128, 120, 78)),
        wild=((76, 92, 40), (124, 116, 64)),
        soil=((142, 96, 64), (176, 130, 92)),
        crown=(((30, 52, 22), (62, 92, 36)), ((38, 60, 30), (84, 108, 46))),
        crops=((66, 92, 44), (98, 108, 54), (132, 88, 60), (150, 112, 78), (88, 116, 52)),
        roofs=((136, 84, 64), (152, 148, 144), (112, 74, 58), (178, 174, 168), (124, 116, 108)),
        water=((60, 64, 46), (84, 78, 56)),
        trees=1.2,
    ),
}
_CLIMATE_WEIGHTS = {"summer": 0.3, "spring": 0.32, "late": 0.12, "arid": 0.12, "tropical": 0.14}


@dataclass(frozen=True)
class Character:
    """The traits that all parts of a tile share."""

    climate: Climate
    climate_name: str
    styles: tuple[str, ...]
    heading: float  # radians, of the main roads
    sun_azimuth: float  # radians, the direction shadows fall to, x right and y down
    sun_elevation: float  # radians
    asphalt: Colour
    concrete: Colour
    pavements: bool
    alleys: bool


def draw_character(settings: WorldSettings, rng: np.random.Generator) -> Character:
    """Draw the traits of a tile."""
    climate_name = pick_weighted(rng, _CLIMATE_WEIGHTS)
    first = pick_weighted(rng, settings.style_weights)
    styles: tuple[str, ...] = (first,)
    if rng.random() < settings.second_style_share:
        styles = (first, pick_weighted(rng, settings.style_weights))
    tone = rng.uniform(72, 138) if climate_name != "arid" else rng.uniform(60, 124)
    warmth = rng.normal(2, 4)
    pale = rng.uniform(140, 178)
    return Character(
        climate=CLIMATES[climate_name],
        climate_name=climate_name,
        styles=styles,
        heading=_heading(rng),
        sun_azimuth=rng.uniform(0, 2 * np.pi),
        sun_elevation=np.radians(rng.uniform(32, 62)),
        asphalt=(tone + warmth, tone, tone - warmth),
        concrete=(pale + warmth, pale, pale - warmth - 4),
        pavements=bool(rng.random() < 0.8),
        alleys=bool(rng.random() < 0.55),
    )


def pick_weighted(rng: np.random.Generator, weights: dict[str, float]) -> str:
    """One of the names, as often as its weight says."""
    share = np.array(list(weights.values()), dtype=np.float64)
    return list(weights)[int(rng.choice(len(share), p=share / share.sum()))]


def _heading(rng: np.random.Generator) -> float:
    """Half of all street plans follow the compass, as many real ones do."""
    quarter = np.pi / 2 * rng.integers(0, 2)
    if rng.random() < 0.5:
        return float(quarter + rng.normal(0, 0.03))
    return float(quarter + rng.uniform(0, np.pi / 2))
