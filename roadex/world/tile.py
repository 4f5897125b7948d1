"""One synthetic tile: the picture, the road surface and the road graph."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.config.world import WorldSettings
from roadex.errors import RoadexError
from roadex.world.character import draw_character
from roadex.world.compose import paint_scene
from roadex.world.frame import Canvas, Frame, coverage
from roadex.world.network import clip_network
from roadex.world.occupancy import Occupancy
from roadex.world.plan import draw_plan
from roadex.world.scene import Scene
from roadex.world.sensor import expose
from roadex.world.texture import TextureBank


@dataclass(frozen=True)
class SyntheticTile:
    """A picture with its whole truth.

    `image` is RGB (H, W, 3); `mask` (H, W) is the road surface, seen or hidden. `graph` is in
    metres in the image frame (x right, y down), its edges have `road_class`, `width_m` and
    `layer` (layers cross on bridges), and dead ends with a turning circle `turning_radius_m`.
    `by_class` is the same with a node wherever the class of the road changes.
    `contents` counts what the tile holds besides.
    """

    image: Canvas
    mask: NDArray[np.bool_]
    graph: nx.MultiGraph
    gsd: float
    contents: dict[str, int]
    by_class: nx.MultiGraph


def make_tile(settings: WorldSettings, seed: int, index: int) -> SyntheticTile:
    """Make tile `index` of the world `seed`; the same bytes on every call and in any process.

    Raises:
        RoadexError: the settings are out of range, or the seed or index is negative.
    """
    settings.check()
    if seed < 0 or index < 0:
        raise RoadexError(f"seed={seed}, index={index}: neither may be negative")
    rngs = np.random.default_rng([seed, index]).spawn(6)
    scene = _open_scene(settings, rngs[0], rngs[1])
    frame, plan = scene.frame, scene.plan
    contents = paint_scene(scene, rngs[2:])
    graph = clip_network(plan.graph, frame.side_m)
    by_class = clip_network(plan.graph, frame.side_m, ["road_class"])
    image = expose(scene.canvas.astype(np.float32), settings, rngs[5])
    mask = coverage(plan.surfaces, frame, scale=4) >= 0.5
    return SyntheticTile(image, mask, graph, settings.gsd, contents, by_class)


def _open_scene(
    settings: WorldSettings, traits: np.random.Generator, layout: np.random.Generator
) -> Scene:
    character = draw_character(settings, traits)
    plan = draw_plan(settings, character, layout)
    frame = Frame(settings.size_px, settings.gsd)
    taken = Occupancy(plan.domain)
    for surface in plan.surfaces:
        taken.take_shape(surface.buffer(2.0, quad_segs=2))
    taken.take_shape(plan.river)
    if plan.railway is not None:
        taken.take_shape(shapely.LineString(plan.railway).buffer(7))
    canvas = np.zeros((*frame.shape, 3), dtype=np.uint8)
    heights = np.zeros(frame.shape, dtype=np.float32)
    bank = TextureBank(traits, frame)
    return Scene(settings, character, plan, frame, bank, taken, canvas, heights)
