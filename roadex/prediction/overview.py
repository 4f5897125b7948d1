"""A picture of the image with its roads, small enough to look at."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.road_table import RoadTable
from roadex.prediction.store import Store
from roadex.prediction.view import View, to_8_bits

_PIXELS_AT_ONCE = 1 << 24

# From doubtful to certain: Okabe and Ito's vermilion and yellow, then white (RGB).
_DOUBTFUL, _LIKELY, _SURE = (213, 94, 0), (240, 228, 66), (255, 255, 255)
_SHADOW = (20, 20, 20)
# The value of the median pixel of the picture.
_BRIGHTNESS = 88
# Smaller pictures have no room for a scale bar.
_LEAST_SIDE = 200


def small_image(view: View, longest_px: int) -> NDArray[np.uint8]:
    """The whole image in its first three bands (h, w, 3), with sides up to `longest_px`.

    It is black where there are no data.
    """
    share = min(1.0, longest_px / max(view.scene.shape))
    rows, columns = (max(1, round(side * share)) for side in view.scene.shape)
    piece = view.scene.reduced((rows, columns))
    picture = np.ascontiguousarray(to_8_bits(piece, view.contrast)[..., :3])
    if piece.valid is not None:
        picture[~piece.valid] = 0
    return picture


def small_probability(store: Store, longest_px: int) -> NDArray[np.uint8]:
    """Probability of road (h, w) in 1/256, averaged until neither side is longer than given."""
    share = min(1.0, longest_px / max(store.shape))
    if share == 1.0:
        return store.road
    height, width = (max(1, round(side * share)) for side in store.shape)
    # First whole numbers of rows to one, some at a time, then the small remainder.
    factor = max(1, int(1 / share))
    rows, across = -(-store.shape[0] // factor), -(-store.shape[1] // factor)
    small = np.empty((rows, across), np.uint8)
    step = max(1, _PIXELS_AT_ONCE // (factor * store.shape[1]))
    for top in range(0, rows, step):
        part = small[top : top + step]
        # A new map for each part, so that pages of the last one are released.
        seen = store.road[factor * top : factor * (top + step)]
        part[:] = cv2.resize(np.asarray(seen), part.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def draw_overview(
    picture: NDArray[np.uint8], found: nx.MultiGraph | RoadTable, extent_m: tuple[float, float]
) -> NDArray[np.uint8]:
    """Roads drawn over a picture (h, w, 3) of medium brightness, coloured by mean probability.

    At the bottom left is a scale bar, at the right the legend.

    Args:
        found: the roads in metres in the image frame.
        extent_m: width and height of the picture in metres.
    """
    canvas = _of_medium_brightness(picture)
    scale = np.array([picture.shape[1], picture.shape[0]]) / extent_m
    thickness = max(1, round(max(picture.shape) / 700))
    for line, _ in _lines(found, scale):
        cv2.polylines(canvas, [line], False, _SHADOW, thickness + 2, cv2.LINE_AA, shift=4)
    for line, probability in _lines(found, scale):
        colour = confidence_colour(probability)
        cv2.polylines(canvas, [line], False, colour, thickness, cv2.LINE_AA, shift=4)
    if min(picture.shape[:2]) >= _LEAST_SIDE:
        size = min(picture.shape[:2]) / 1200 + 0.25
        _draw_scale(canvas, extent_m[0] / picture.shape[1], size)
        _draw_legend(canvas, size)
    return canvas


def _lines(
    found: nx.MultiGraph | RoadTable, scale: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.int32], float]]:
    """Each road's line in 1/16 of a pixel of the picture, and its mean probability."""
    if isinstance(found, RoadTable):
        probabilities = found.value("mean_probability").tolist()
        roads = ((found.line(i), chance) for i, chance in enumerate(probabilities))
    else:
        edges = found.edges(data=True)
        roads = ((data["geometry"], data["mean_probability"]) for *_, data in edges)
    for line, chance in roads:
        yield np.round((line * scale - 0.5) * 16).astype(np.int32), chance


def _of_medium_brightness(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture at a brightness from which roads of any colour stand out; black stays black."""
    channels = cv2.split(picture)
    grey = cv2.max(cv2.max(channels[0], channels[1]), channels[2])
    counts = np.bincount(np.asarray(grey).ravel(), minlength=256)
    counts[0] = 0
    middle = np.searchsorted(np.cumsum(counts), (counts.sum() + 1) // 2)
    gain = _BRIGHTNESS / float(middle) if middle else 1.0
    table = np.clip(np.arange(256) * min(max(gain, 0.5), 3.0), 0, 195).astype(np.uint8)
    return np.asarray(cv2.LUT(np.ascontiguousarray(picture), table), np.uint8)


def _draw_scale(canvas: NDArray[np.uint8], metres_per_px: float, size: float) -> None:
    """A bar of a round length, about a sixth of the picture, at the bottom left."""
    height, width = canvas.shape[:2]
    metres = round_length(width / 6 * metres_per_px)
    text = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    left, bottom = round(20 * size), height - round(20 * size)
    right = left + round(metres / metres_per_px)
    tick = round(12 * size)
    line = np.array(
        [[left, bottom - tick], [left, bottom], [right, bottom], [right, bottom - tick]]
    )
    for colour, thickness in ((_SHADOW, 5), (_SURE, 2)):
        weight = max(1, round(thickness * size))
        cv2.polylines(canvas, [line.astype(np.int32)], False, colour, weight, cv2.LINE_AA)
    _write(canvas, text, (left + tick, bottom - tick), size)


def round_length(about: float) -> float:
    """The longest of 1, 2 and 5 times a power of ten that is not above a length."""
    power: float = 10.0 ** np.floor(np.log10(about))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= about)


def _draw_legend(canvas: NDArray[np.uint8], size: float) -> None:
    """The colours from doubtful to certain, at the bottom right."""
    height, width = canvas.shape[:2]
    long, high = round(160 * size), round(10 * size)
    left, top = width - long - round(20 * size), height - high - round(20 * size)
    canvas[top - 2 : top + high + 2, left - 2 : left + long + 2] = _SHADOW
    for place in range(long):
        canvas[top : top + high, left + place] = confidence_colour(0.5 + place / long / 2)
    _write(canvas, "doubtful", (left, top - round(8 * size)), size)
    _write(canvas, "sure", (left + long - round(42 * size), top - round(8 * size)), size)


def _write(canvas: NDArray[np.uint8], text: str, place: tuple[int, int], size: float) -> None:
    for colour, thickness in ((_SHADOW, 4), (_SURE, 1)):
        weight = max(1, round(thickness * size))
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(canvas, text, place, font, 0.6 * size, colour, weight, cv2.LINE_AA)


def confidence_colour(probability: float) -> tuple[int, int, int]:
    """RGB of a mean probability: 0.5 and below vermilion, 0.75 yellow, 1 white."""
    place = min(max((probability - 0.5) * 4, 0.0), 2.0)
    low, high = (_DOUBTFUL, _LIKELY) if place < 1 else (_LIKELY, _SURE)
    share = place if place < 1 else place - 1
    mixed = [round(a + (b - a) * share) for a, b in zip(low, high, strict=True)]
    return mixed[0], mixed[1], mixed[2]
