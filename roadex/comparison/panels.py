"""The same tiles of every row, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roadex.comparison.comparison import Comparison, title
from roadex.comparison.rows import Row
from roadex.plots.html import drawing_uri, jpeg_uri
from roadex.plots.overlays import PAPER, Picture, agreement, dimmed, draw_graph
from roadex.plots.tiles import KeptTile, kept_names, read_tile
from roadex.runs.reading import Run

# The scores of a tile that its caption tells.
CAPTION = ("apls", "topo/f1")
WIDTH_PX = 480


@dataclass(frozen=True)
class Panel:
    """A picture with what stands below it."""

    caption: str
    source: str


@dataclass(frozen=True)
class TilePanels:
    """A tile: what is true, then prediction and graph of each row."""

    name: str
    truth: list[Panel]
    rows: list[tuple[str, list[Panel]]]


def tile_panels(comparison: Comparison, count: int, imagery: bool) -> list[TilePanels]:
    """The first `count` tiles that a run of every row has kept.

    Raises:
        RoadexError: a tile's files are damaged.
    """
    shown = [_shown_run(line.row) for line in comparison.lines]
    kept = [kept_names(_overlays(run)) for run in shown]
    common = [name for name in kept[0] if all(name in names for names in kept)]
    names = [line.row.name for line in comparison.lines]
    return [_panels(tile, names, shown, imagery) for tile in common[:count]]


def _shown_run(row: Row) -> Run:
    """The run of the lowest seed that kept tiles."""
    keeping = [run for run in row.runs if kept_names(_overlays(run))]
    return (keeping or row.runs)[0]


def _overlays(run: Run) -> Path:
    return run.folder / "overlays"


def _panels(name: str, rows: list[str], runs: list[Run], imagery: bool) -> TilePanels:
    tiles = [read_tile(_overlays(run), name) for run in runs]
    captions = [f"{row} (seed {run.seed})" for row, run in zip(rows, runs, strict=True)]
    predicted = [
        (caption, _prediction(tile, imagery)) for caption, tile in zip(captions, tiles, strict=True)
    ]
    return TilePanels(name, _truth(tiles[0], imagery), predicted)


def _truth(tile: KeptTile, imagery: bool) -> list[Panel]:
    drawn = draw_graph(_ground(tile, imagery), tile.truth_graph, tile.gsd)
    image = [_panel("image", tile.image, imagery)] if imagery else []
    return [*image, _panel("truth", drawn, imagery)]


def _prediction(tile: KeptTile, imagery: bool) -> list[Panel]:
    compared = agreement(tile.truth, tile.proposal, tile.image if imagery else None)
    drawn = draw_graph(_ground(tile, imagery), tile.proposal_graph, tile.gsd)
    scores = [
        f"{title(score)} {value:.3f}"
        for score in CAPTION
        if (value := tile.scores.get(score)) is not None and not math.isnan(value)
    ]
    caption = ", ".join(["graph", *scores])
    return [_panel("prediction", compared, imagery), _panel(caption, drawn, imagery)]


def _ground(tile: KeptTile, imagery: bool) -> Picture:
    return dimmed(tile.image) if imagery else np.full_like(tile.image, PAPER)


def _panel(caption: str, picture: Picture, imagery: bool) -> Panel:
    encode = jpeg_uri if imagery else drawing_uri
    return Panel(caption, encode(picture, WIDTH_PX))
