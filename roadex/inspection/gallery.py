"""A self-contained page of a dataset's tiles, the suspicious ones first."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.files import write_text
from roadex.plots.overlays import Picture, dimmed, draw_graph

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
