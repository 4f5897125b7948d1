"""Which way the road runs at each pixel: the labels of Batra et al., CVPR 2019.

Angles turn from x (columns) to y (rows, downwards). A tile's map holds the direction modulo half a
turn in steps of two degrees, so that it can be turned and mirrored with the tile. A crop's classes
add the sense, away from the crop's origin, and are bins of ten degrees about 0, 10, ... 350. Even
degrees never lie on the edge of such a bin, so flips and quarter turns permute the bins.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.frame import Gsd
from roadex.graph.raster import draw_values
from roadex.graph.simplify import simplify_roads

STEP = 2  # degrees of a code
CODES = 180 // STEP
NO_ROAD = 254
IGNORE = 255
BINS = 36
REACH_M = 3.0  # 10 px of 0.3 m on either side of the centre line
SIMPLIFY_M = 0.6


def direction_map(graph: nx.MultiGraph, shape: tuple[int, int], gsd: Gsd) -> NDArray[np.uint8]:
    """The direction of the simplified centre line near each pixel, uint8 (rows, columns).

    A code c below 90 means 2 c degrees modulo 180; 254: no road within 3 m. Where roads overlap the
    later one counts.

    Args:
        graph: roads in metres in the image frame.
        gsd: metres per pixel, one number or (along x, along y).
    """
    lines = nx.MultiGraph(graph)  # with its own attributes, which are replaced and not changed
    simplify_roads(lines, SIMPLIFY_M)
    codes = np.full(shape, NO_ROAD, dtype=np.uint8)
    draw_values(codes, lines, gsd, 2 * REACH_M, _codes)
    return codes


def _codes(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The codes (n) of segments from (n, 2) to (n, 2)."""
    along, down = (ends - starts).T
    degrees = np.degrees(np.arctan2(down, along))
    result: NDArray[np.uint8] = (np.round(degrees / STEP) % CODES).astype(np.uint8)
    return result


def turned_codes(
    codes: NDArray[np.uint8], degrees: float, quarter_turns: int, flip: bool
) -> NDArray[np.uint8]:
    """The codes of a map whose pixels have been moved already.

    Args:
        degrees: by which the crop was turned against the tile.
        quarter_turns: against the clock, as one sees the image; after the above.
        flip: left and right exchanged; after both.
    """
    angles = np.round(np.arange(CODES) - degrees / STEP) - quarter_turns * 90 // STEP
    table = np.arange(256)
    table[:CODES] = (-angles if flip else angles) % CODES
    return table.astype(np.uint8)[codes]


def orientation_classes(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The classes of a crop (rows, columns): 0 no road, 1 + bin of the direction, 255 ignore.

    Of the two senses the one away from the crop's upper left corner is taken: d . p > 0 for the
    direction d at pixel p, as it is for the segment taken from its end nearer the origin.
    """
    angles = np.radians(STEP * np.arange(CODES))
    rows, columns = np.indices(codes.shape, dtype=np.float32) + 0.5
    known = np.minimum(codes, CODES - 1)
    cosine, sine = (f(angles).astype(np.float32)[known] for f in (np.cos, np.sin))
    backwards = cosine * columns + sine * rows < 0
    bins = np.floor((STEP * known.astype(np.int64) + 5) / 10).astype(np.int64) + 18 * backwards
    classes = (1 + bins % BINS).astype(np.uint8)
    classes[codes == NO_ROAD] = 0
    classes[codes == IGNORE] = IGNORE
    result: NDArray[np.uint8] = classes
    return result
