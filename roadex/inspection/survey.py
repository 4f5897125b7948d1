"""A look at every tile of a prepared dataset before anything is trained on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from roadex.config.inspect import InspectConfig
from roadex.data.manifest import tile_facts
from roadex.data.parallel import over_tiles
from roadex.data.prepare import prepare
from roadex.data.prepared import PreparedDataset
from roadex.data.problems import problems, require_whole
from roadex.files import user_path, write_json
from roadex.inspection.beside import others, write_beside
from roadex.inspection.gallery import Card, panels_of, write_page
from roadex.inspection.suspicion import Look, common_move, look_at, suspicions

_SHOWN = ("tiles", "sizes", "splits", "split_hash", "graphs_from", "road_share",
          "connectivity_shares", "road_km", "road_km_per_km2", "mean", "std")  # fmt: skip


def survey(
    config: InspectConfig, tell: Callable[[str], None] = lambda line: None
) -> dict[str, list[str]]:
    """Write OUT/index.html and OUT/suspicious.json; returns the odd tiles with their reasons.

    Raises:
        RoadexError: unusable files had to be left out; the page shows the rest.
    """
    beside = others(config.beside, config.beside_gsd) if config.beside else None
    dataset = prepare(config.dataset, config.connectivity_classes, tell, keep_going=True, needed=())
    names = sorted(name for split in dataset.splits.values() for name in split)
    measure = partial(_look, dataset=dataset)
    looks = dict(over_tiles(measure, names, config.dataset.workers, "looking at tiles"))
    odd = suspicions({name: looks[name] for name in names})
    ranked = sorted(names, key=lambda name: (-len(odd[name]), name))
    cards = [_card(dataset, name, odd[name]) for name in ranked[: config.tiles]]
    manifest = json.loads((dataset.folder / "manifest.json").read_text())
    summary = {key.replace("_", " "): _plain(manifest[key]) for key in _SHOWN}
    found = {name: odd[name] for name in ranked if odd[name]}
    summary["suspicious tiles"] = f"{len(found)} of {len(names)}"
    summary["unusable files left out"] = str(len(problems(dataset.folder)))
    move = common_move(looks)
    if move is not None:
        summary["all labels"] = f"would fit better moved by {move[0]:+.1f}, {move[1]:+.1f} m"
    out = user_path(config.out)
    write_page(
        out / "index.html", f"Dataset {config.dataset.kind}", summary, cards, config.width_px
    )
    write_json(out / "suspicious.json", found)
    if beside is not None:
        write_beside(out / "beside.html", dataset, beside, config.tiles, config.width_px)
    for name, reasons in found.items():
        tell(f"suspicious: {name}: {'; '.join(reasons)}")
    tell(f"page in {out / 'index.html'}")
    require_whole(dataset.folder, tell)
    return found


def _look(name: str, dataset: PreparedDataset) -> Look:
    return look_at(dataset.tile(name), dataset.gsd)


def _card(dataset: PreparedDataset, name: str, odd: list[str]) -> Card:
    tile, graph = dataset.tile(name), dataset.graph(name)
    split = next(split for split, names in dataset.splits.items() if name in names)
    facts = tile_facts(dataset.folder, {"train": [name], "validation": [], "test": []})[name]
    pixels = max(1, facts["pixels"])
    km_per_km2 = facts["road_m"] / 1000 / (pixels * dataset.gsd**2 / 1e6)
    text = (
        f"{split}, {facts['width']}x{facts['height']} px, "
        f"{facts['road_pixels'] / pixels:.1%} road, {km_per_km2:.1f} km of road per km2, "
        f"graph from {facts['graph_from']}"
    )
    panels = panels_of(tile.image, tile.mask, tile.connectivity, graph, dataset.gsd)
    return Card(name, text, [*odd, *facts["notes"]], panels)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
