"""A synthetic dataset in the layout of a published one, written in parallel and atomically."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from roadex.config.synthesize import SynthesizeConfig
from roadex.data.layouts import LAYOUTS
from roadex.data.parallel import over_tiles
from roadex.errors import RoadexError
from roadex.files import user_path, write_json
from roadex.world import WORLD_VERSION, WorldSettings, make_tile

_MARKER = "world.json"


def synthesize(config: SynthesizeConfig) -> WorldSettings:
    """Write tiles 0 to `tiles` - 1 of a world into `out`; those that are there are kept.

    Returns:
        The settings of the world, with the size and resolution of the layout unless others are set.

    Raises:
        RoadexError: the layout has names for fewer tiles, `out` holds another world or cannot be
            written, or the world's settings are out of range.
    """
    layout = LAYOUTS[config.layout]
    if layout.most is not None and config.tiles > layout.most:
        raise RoadexError(f"tiles={config.tiles}: layout {config.layout} has {layout.most} at most")
    world = replace(
        config.world,
        size_px=config.size_px or layout.size_px,
        gsd=config.gsd or layout.gsd,
    )
    world.check()
    out = user_path(config.out)
    _claim(out, config, world)
    names = [str(index) for index in range(config.tiles)]
    make = partial(_make, layout=config.layout, world=world, seed=config.seed, out=out)
    for _ in over_tiles(make, names, config.workers, "making tiles"):
        pass
    return world


def _claim(out: Path, config: SynthesizeConfig, world: WorldSettings) -> None:
    """Record the world in the folder, so that two worlds are never mixed in it."""
    facts = {"version": WORLD_VERSION, "layout": config.layout, "seed": config.seed}
    wanted = {**facts, "world": asdict(world)}
    marker = out / _MARKER
    if marker.is_file() and json.loads(marker.read_text()) != wanted:
        raise RoadexError(f"out={config.out}: it holds a world of other settings; choose another")
    if out.is_dir() and not marker.is_file() and any(out.iterdir()):
        raise RoadexError(f"out={config.out}: it holds other files; choose an empty or new folder")
    write_json(marker, wanted)


def _make(name: str, layout: str, world: WorldSettings, seed: int, out: Path) -> None:
    index, files = int(name), LAYOUTS[layout]
    if not files.label(index, out).is_file():
        files.write(make_tile(world, seed, index), index, out)
