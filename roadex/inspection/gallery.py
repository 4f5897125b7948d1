"""The pages of an inspection: a dataset's tiles, and two datasets side by side at one scale."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.data.prepared import PreparedDataset
from roadex.data.sources.files import images_below
from roadex.errors import RoadexError
from roadex.files import user_path, write_text
from roadex.plots.overlays import Picture, dimmed, draw_graph
from roadex.rasters.pictures import read_image

# Background, dead end, along, three ways, four ways and more (RGB).
_CLASS_COLOURS = ((25, 25, 28), (86, 180, 233), (130, 130, 130), (230, 159, 0), (213, 94, 0))
_IGNORED = (120, 0, 120)
_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; padding: 0 20px;
  max-width: 1280px; color: #222; }
table { border-collapse: collapse; margin: 1em 0; } td { padding: .15em 1.2em .15em 0; }
article { border-top: 1px solid #ccc; padding: .6em 0 1em; } h2 { font-size: 1em; margin: .3em 0; }
.odd { color: #b03a00; } .panels { display: flex; gap: 6px; }
figure { margin: 0; flex: 1; } img { width: 100%; display: block; } figcaption { color: #666; }
"""


@dataclass(frozen=True)
class Card:
    """One tile on the page: its facts in words, the reasons for suspicion, and its panels."""

    name: str
    facts: str
    odd: list[str]
    panels: dict[str, Picture]


def panels_of(
    image: Picture,
    mask: NDArray[np.uint8],
    connectivity: NDArray[np.uint8],
    graph: nx.MultiGraph,
    gsd: float,
) -> dict[str, Picture]:
    """Image, mask, graph and connectivity of a tile (H, W) as RGB pictures."""
    seen = np.ascontiguousarray(image)
    return {
        "image": seen,
        "road mask": _mask_picture(seen, mask),
        "graph": draw_graph(dimmed(seen), graph, gsd),
        "connectivity": _connectivity_picture(connectivity),
    }


def _mask_picture(image: Picture, mask: NDArray[np.uint8]) -> Picture:
    picture = image // 2
    picture[mask == 1] += np.array([120, 100, 0], dtype=np.uint8)
    picture[mask == 255] = _IGNORED
    return picture


def _connectivity_picture(connectivity: NDArray[np.uint8]) -> Picture:
    colours = np.array([*_CLASS_COLOURS] + [_CLASS_COLOURS[-1]] * 250 + [_IGNORED], dtype=np.uint8)
    return np.asarray(colours[connectivity], np.uint8)


def write_page(
    path: Path, title: str, summary: dict[str, Any], cards: list[Card], width: int
) -> None:
    """Write the page; each panel is scaled down to `width` pixels and embedded as JPEG."""
    rows = "".join(
        f"<tr><td>{html.escape(key)}</td><td>{html.escape(str(value))}</td></tr>"
        for key, value in summary.items()
    )
    body = "".join(_article(card, width) for card in cards)
    write_text(
        path,
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title>"
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1><table>{rows}</table>{body}</html>\n",
    )


def _article(card: Card, width: int) -> str:
    odd = "".join(f"<p class=odd>{html.escape(line)}</p>" for line in card.odd)
    figures = "".join(
        f"<figure><img alt={caption!r} src='{_embedded(panel, width)}'>"
        f"<figcaption>{caption}</figcaption></figure>"
        for caption, panel in card.panels.items()
    )
    head = f"<h2>{html.escape(card.name)}</h2>{odd}<p>{html.escape(card.facts)}</p>"
    return f"<article>{head}<div class=panels>{figures}</div></article>"


def _embedded(panel: Picture, width: int) -> str:
    scale = min(1.0, width / panel.shape[1])
    small = cv2.resize(panel, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, code = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return "data:image/jpeg;base64," + base64.b64encode(code.tobytes()).decode()


_SIDE_M = 100.0  # of a crop, if the tile is large enough
# What is compared of two sets of pictures, in grey levels.
_MEASURES = (
    "brightness (mean)",
    "contrast (deviation)",
    "colour (largest less smallest band)",
    "fine detail (difference to a blur of 1 px)",
    "coarse detail (between blurs of 1 and 8 px)",
)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Others:
    """Images of another dataset, and their metres per pixel."""

    files: list[Path]
    gsd: float


def others(folder: str, gsd: float | None) -> Others:
    """The images below a folder.

    Raises:
        RoadexError: there are none, or their metres per pixel are not given.
    """
    if gsd is None:
        raise RoadexError("beside_gsd is needed with beside: add beside_gsd=METRES_PER_PIXEL")
    files = images_below(user_path(folder))
    if not files:
        raise RoadexError(f"beside={folder}: there is no image in that folder or below it")
    return Others(files, gsd)


def write_beside(
    path: Path, dataset: PreparedDataset, beside: Others, pairs: int, width: int
) -> None:
    """Write a page of pairs of crops, at the coarser pixels of the two, and their measures.

    Raises:
        RoadexError: an image cannot be read.
    """
    scale = max(dataset.gsd, beside.gsd)
    names = _spread(sorted(n for split in dataset.splits.values() for n in split), pairs)
    files = _spread(beside.files, pairs)
    ours = [_crop(dataset.tile(name).image[..., :3], dataset.gsd, scale) for name in names]
    theirs = [_crop(read_image(file), beside.gsd, scale) for file in files]
    cards = [
        Card(f"{name} | {file.name}", "", [], {"dataset": our, "beside": their})
        for name, file, our, their in zip(names, files, ours, theirs, strict=False)
    ]
    summary = {"metres per pixel": scale, "crops": f"{len(ours)} | {len(theirs)}"}
    values = (np.mean([measures(crop) for crop in crops], axis=0) for crops in (ours, theirs))
    for what, our_value, their_value in zip(_MEASURES, *values, strict=True):
        summary[what] = f"{our_value:.1f} | {their_value:.1f}"
    write_page(path, "Dataset | beside", summary, cards, width)


def measures(picture: Picture) -> list[float]:
    """The values of `_MEASURES` for a picture (H, W, 3)."""
    levels = picture.astype(np.float32)
    grey = np.asarray(levels.mean(axis=2))
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.0, 8.0))
    spread = levels.max(axis=2) - levels.min(axis=2)
    details = [np.abs(grey - fine).mean(), np.abs(fine - coarse).mean()]
    return [float(value) for value in (grey.mean(), grey.std(), spread.mean(), *details)]


def _spread(items: list[Item], count: int) -> list[Item]:
    """At most `count` items, evenly from a list."""
    chosen = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[index] for index in chosen]


def _crop(image: Picture, gsd: float, scale: float) -> Picture:
    """The middle of an image, `_SIDE_M` large or all there is, with pixels of `scale` metres."""
    side = min(*image.shape[:2], round(_SIDE_M / gsd))
    top, left = ((length - side) // 2 for length in image.shape[:2])
    middle = np.ascontiguousarray(image[top : top + side, left : left + side])
    pixels = max(1, round(side * gsd / scale))
    resized = cv2.resize(middle, (pixels, pixels), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8)
