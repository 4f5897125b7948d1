"""Pictures of a tile: image, truth, prediction, graph."""

from __future__ import annotations

import cv2
import networkx as nx
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

# Okabe and Ito's colours, which colour-blind readers can distinguish (RGB).
FOUND = (0, 158, 115)
MISSED = (0, 114, 178)
FALSE = (213, 94, 0)
EDGE = (240, 228, 66)
JUNCTION = (213, 94, 0)
DEAD_END = (86, 180, 233)
PAPER = (245, 245, 242)
CAPTION_HEIGHT = 26


def overlay(
    image: Picture,
    truth: NDArray[np.bool_],
    proposal: NDArray[np.bool_],
    truth_graph: nx.MultiGraph,
    proposal_graph: nx.MultiGraph,
    gsd: float,
    title: str,
) -> Picture:
    """Four panels: the image, the true roads, the agreement of both, the predicted graph.

    Arrays are (H, W[, 3]); graphs are in metres in the image frame. Returns RGB (H + caption,
    4 W + gaps, 3).
    """
    panels = {
        title: image,
        "truth": draw_graph(dimmed(image, truth), truth_graph, gsd),
        "found green, missed blue, false red": agreement(truth, proposal, image),
        "predicted graph": draw_graph(dimmed(image), proposal_graph, gsd),
    }
    return side_by_side(panels)


def comparison(
    truth: NDArray[np.bool_],
    proposal: NDArray[np.bool_],
    truth_graph: nx.MultiGraph,
    proposal_graph: nx.MultiGraph,
    gsd: float,
    title: str,
) -> Picture:
    """As `overlay`, but without the image, for tiles whose imagery may not be shown."""
    blank = np.full((*truth.shape, 3), PAPER, np.uint8)
    panels = {
        title: agreement(truth, proposal),
        "true graph": draw_graph(blank, truth_graph, gsd),
        "predicted graph": draw_graph(blank, proposal_graph, gsd),
    }
    return side_by_side(panels)


def agreement(
    truth: NDArray[np.bool_], proposal: NDArray[np.bool_], image: Picture | None = None
) -> Picture:
    """Truth against prediction: found, missed and false road pixels in three colours."""
    picture = np.full((*truth.shape, 3), PAPER, np.uint8) if image is None else dimmed(image)
    picture[truth & proposal] = FOUND
    picture[truth & ~proposal] = MISSED
    picture[~truth & proposal] = FALSE
    return picture


def dimmed(image: Picture, mask: NDArray[np.bool_] | None = None) -> Picture:
    """The image greyed and darkened, so that colours drawn on it stand out; mask pixels lighter."""
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY) // 2
    if mask is not None:
        grey = np.where(mask, grey + 110, grey).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def draw_graph(picture: Picture, graph: nx.MultiGraph, gsd: float) -> Picture:
    """Edges, junctions and dead ends of a graph in metres drawn onto a copy of (H, W, 3)."""
    canvas = np.ascontiguousarray(picture).copy()
    dark = canvas.mean() > 160
    thickness = max(1, round(min(canvas.shape[:2]) / 300))
    for *_, line in graph.edges(data="geometry"):
        points = np.round((line / gsd - 0.5) * 16).astype(np.int32)
        colour = (60, 60, 60) if dark else EDGE
        cv2.polylines(canvas, [points], False, colour, thickness, cv2.LINE_AA, shift=4)
    for node, (x, y) in ((n, (d["x"], d["y"])) for n, d in graph.nodes(data=True)):
        degree = graph.degree(node)
        if degree != 2:
            centre = (round(x / gsd - 0.5), round(y / gsd - 0.5))
            colour = JUNCTION if degree > 2 else DEAD_END
            cv2.circle(canvas, centre, 2 * thickness + 1, colour, -1, cv2.LINE_AA)
    return canvas


def side_by_side(panels: dict[str, Picture], gap: int = 6) -> Picture:
    """Panels of one size in a row, each under its caption."""
    columns: list[Picture] = []
    for caption, panel in panels.items():
        head = np.full((CAPTION_HEIGHT, panel.shape[1], 3), 255, np.uint8)
        _caption(head, caption)
        column = np.vstack([head, panel])
        columns += [column, np.full((len(column), gap, 3), 255, np.uint8)]
    return np.hstack(columns[:-1])


def _caption(head: Picture, text: str) -> None:
    """Write text as large as it fits."""
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    scale = min(0.5, 0.5 * (head.shape[1] - 8) / max(1, width))
    place = (4, CAPTION_HEIGHT - 9)
    cv2.putText(head, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (30, 30, 30), 1, cv2.LINE_AA)
