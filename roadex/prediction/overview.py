"""A picture of the image with its roads, small enough to look at."""

from __future__ import annotations

import cv2
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.prediction.view import View, to_8_bits

# From doubtful to sure: Okabe and Ito's vermilion and yellow, then white (RGB).
_DOUBTFUL, _LIKELY, _SURE = (213, 94, 0), (240, 228, 66), (255, 255, 255)
_SHADOW = (20, 20, 20)


def small_image(view: View, longest_px: int) -> NDArray[np.uint8]:
    """The whole image (h, w, 3) with sides of at most so many pixels; black where no data are."""
    share = min(1.0, longest_px / max(view.scene.shape))
    rows, columns = (max(1, round(side * share)) for side in view.scene.shape)
    piece = view.scene.reduced((rows, columns))
    picture = to_8_bits(piece, view.contrast)
    if piece.valid is not None:
        picture[~piece.valid] = 0
    return picture


def draw_overview(
    picture: NDArray[np.uint8], frame: nx.MultiGraph, extent_m: tuple[float, float]
) -> NDArray[np.uint8]:
    """Roads drawn over a darkened picture (h, w, 3), coloured by their mean probability.

    Args:
        frame: the roads in metres in the image frame.
        extent_m: width and height of the picture in metres.
    """
    canvas = np.ascontiguousarray(picture // 5 * 3)
    scale = np.array([picture.shape[1], picture.shape[0]]) / extent_m
    thickness = max(1, round(max(picture.shape) / 700))
    roads = [
        (np.round((data["geometry"] * scale - 0.5) * 16).astype(np.int32), data["mean_probability"])
        for *_, data in frame.edges(data=True)
    ]
    for line, _ in roads:
        cv2.polylines(canvas, [line], False, _SHADOW, thickness + 2, cv2.LINE_AA, shift=4)
    for line, probability in roads:
        colour = confidence_colour(probability)
        cv2.polylines(canvas, [line], False, colour, thickness, cv2.LINE_AA, shift=4)
    return canvas


def confidence_colour(probability: float) -> tuple[int, int, int]:
    """RGB of a mean probability: 0.5 and below vermilion, 0.75 yellow, 1 white."""
    place = min(max((probability - 0.5) * 4, 0.0), 2.0)
    low, high = (_DOUBTFUL, _LIKELY) if place < 1 else (_LIKELY, _SURE)
    share = place if place < 1 else place - 1
    mixed = [round(a + (b - a) * share) for a, b in zip(low, high, strict=True)]
    return mixed[0], mixed[1], mixed[2]
