"""The attributes that a model learns of roads, as classes, and their labels as pixels.

SpaceNet's seven classes of roads, paved or not, one to four or more lanes, and the speed in bins of
10 miles per hour, as the literature on SpaceNet 5 has them. What a road's tags do not say is
IGNORE, and so is every pixel without road.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.config.labels import ATTRIBUTE_NAMES, IGNORE
from roadex.graph.attributes import (
    KPH_PER_MPH,
    LIKE,
    SPEED_TABLE_MPH,
    UNPAVED,
    highway_of,
    known_lanes,
    known_speed,
    surface_of,
    table_speed,
)
from roadex.graph.raster import draw_road_values

CLASSES = tuple(SPEED_TABLE_MPH)
SURFACES = ("paved", "unpaved")
LANES = ("1", "2", "3", "4+")
_BIN_MPH = 10
_BINS = 7
SPEEDS = tuple(f"{_BIN_MPH * i}-{_BIN_MPH * (i + 1)} mph" for i in range(_BINS))
# Km/h in the middle of each bin; the last one holds all faster roads.
BIN_KPH = (np.arange(_BINS) + 0.5) * _BIN_MPH * KPH_PER_MPH
# The classes of each attribute, in the order of the model's channels.
VALUES: dict[str, tuple[str, ...]] = dict(
    zip(ATTRIBUTE_NAMES, (CLASSES, SURFACES, LANES, SPEEDS), strict=True)
)
CHANNELS = sum(len(values) for values in VALUES.values())
# OSM's classes that the table has no speed for: small roads that cars use.
_MINOR = ("service",)
PAVED = frozenset([
    "paved", "asphalt", "concrete", "paving_stones", "sett", "cobblestone", "unhewn_cobblestone",
    "chipseal", "bricks", "brick", "tarmac", "metal", "concrete_plates", "concrete_lanes",
    "concrete:plates", "concrete:lanes",
])  # fmt: skip


def spans() -> dict[str, slice]:
    """The channels of each attribute."""
    found, start = {}, 0
    for name, values in VALUES.items():
        found[name] = slice(start, start + len(values))
        start += len(values)
    return found


def class_of(data: Mapping[str, Any]) -> str | None:
    """Which of the seven classes a road has by its tags; links have that of their road."""
    highway = (highway_of(data) or "").removesuffix("_link")
    known = LIKE.get(highway, highway)
    if known in _MINOR:
        return "unclassified"
    return known if known in CLASSES else None


def paving_of(data: Mapping[str, Any]) -> str | None:
    """Whether a road's tags call it paved or unpaved; None if they say neither."""
    surface = surface_of(data) or ""
    if surface.split(":")[0] in UNPAVED:
        return "unpaved"
    return "paved" if surface in PAVED else None


def known_attributes(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a road's tags tell: `highway` of the seven, `surface`, `lanes`, `speed_kph`.

    The speed comes from the tags, else from the table if they give the class.
    """
    highway, surface, lanes = class_of(data), paving_of(data), known_lanes(data)
    speed = known_speed(data)
    if speed is None and highway is not None:
        speed = table_speed(highway, lanes, surface)
    known = {"highway": highway, "surface": surface, "lanes": lanes, "speed_kph": speed}
    return {name: value for name, value in known.items() if value is not None}


def labels_of(known: Mapping[str, Any]) -> dict[str, int]:
    """The class index of each attribute in the result of `known_attributes`; IGNORE: unknown."""
    lanes, speed = known.get("lanes"), known.get("speed_kph")
    return {
        "class": _index(CLASSES, known.get("highway")),
        "surface": _index(SURFACES, known.get("surface")),
        "lanes": IGNORE if lanes is None else min(int(lanes), len(LANES)) - 1,
        "speed": IGNORE if speed is None else speed_bin(float(speed)),
    }


def _index(values: Sequence[str], value: str | None) -> int:
    return values.index(value) if value in values else IGNORE


def speed_bin(kph: float) -> int:
    """The number of the bin: 0 up to 10 miles per hour, 1 up to 20, and so on."""
    mph = round(kph / KPH_PER_MPH, 6)  # 30 mph in km/h and back is a hair more
    return min(max(math.ceil(mph / _BIN_MPH), 1), _BINS) - 1


def attribute_maps(graph: nx.MultiGraph, mask: NDArray[np.uint8], gsd: float) -> NDArray[np.uint8]:
    """The label (4, H, W) of each attribute, by the order of `VALUES`.

    Where roads overlap, the upper one counts, and within a layer the more important one.

    Args:
        graph: in metres in the image frame; its roads have `width_m` and what `known_attributes`
            gives.
        mask: (H, W), 1 where road.
    """
    maps = np.full((len(VALUES), *mask.shape), IGNORE, np.uint8)
    roads = sorted(graph.edges(keys=True, data=True), key=_order)
    ordered = nx.MultiGraph()
    ordered.add_edges_from((i, -i - 1, 0, data) for i, (*_, data) in enumerate(roads))
    labels = [labels_of(data) for *_, data in roads]
    for name, target in zip(VALUES, maps, strict=True):
        draw_road_values(target, ordered, gsd, "width_m", [each[name] for each in labels])
    maps[:, mask != 1] = IGNORE
    return maps


def _order(road: tuple[Any, Any, int, dict[str, Any]]) -> tuple[float, int]:
    """The order of drawing: upper and more important roads come later."""
    data = road[3]
    rank = _index(CLASSES, data.get("highway"))
    try:
        layer = float(data.get("layer", 0))
    except (TypeError, ValueError):
        layer = 0.0
    return layer, -rank
