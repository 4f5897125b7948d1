"""The mask metrics for road networks: both are drawn on one grid first.

Relaxed scores (see roadex.metrics.pixel) and clDice (see roadex.metrics.cldice). The grid's corner
is that of both networks' extent, so that moving both networks changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict

import networkx as nx
import numpy as np

from roadex.graph.network import add_road, empty_network
from roadex.graph.raster import draw_roads
from roadex.metrics.cldice import ClDiceCounts
from roadex.metrics.pair import Pair
from roadex.metrics.pixel import Mask, RelaxedCounts
from roadex.metrics.ratios import Tally
from roadex.metrics.roads import Floats, Roads


def relaxed_tally(pair: Pair) -> Tally:
    """Skeleton pixels, and those within the buffer of the other skeleton."""
    truth, proposal = masks_of(pair)
    buffer_px = pair.settings.buffer / pair.settings.raster_gsd
    return asdict(RelaxedCounts.of(truth, proposal, buffer_px))


def relaxed_scores(counts: Tally) -> dict[str, float]:
    """precision, recall, f1 and iou, relaxed."""
    return RelaxedCounts(**{name: int(count) for name, count in counts.items()}).scores()


def cldice_tally(pair: Pair) -> Tally:
    """Skeleton pixels, and those inside the other mask."""
    return asdict(ClDiceCounts.of(*masks_of(pair)))


def cldice_scores(counts: Tally) -> dict[str, float]:
    """clDice itself (under the empty name), precision and sensitivity."""
    total = ClDiceCounts(**{name: int(count) for name, count in counts.items()})
    return {"": total.value, "precision": total.precision, "sensitivity": total.sensitivity}


def masks_of(pair: Pair) -> tuple[Mask, Mask]:
    """Both networks drawn with `road_width` on one grid of `raster_gsd` metres per pixel."""
    points = [line for roads in (pair.real, pair.drawn) for line in roads.lines]
    if not points:
        nothing = np.zeros((1, 1), dtype=bool)
        return nothing, nothing
    gsd, width = pair.settings.raster_gsd, pair.settings.road_width
    corners = np.concatenate(points)
    origin = corners.min(axis=0) - width
    columns, rows = np.ceil((corners.max(axis=0) + width - origin) / gsd).astype(int).tolist()
    real, drawn = (
        draw_roads(_moved(roads, origin), (rows, columns), gsd, width)
        for roads in (pair.real, pair.drawn)
    )
    return real, drawn


def _moved(roads: Roads, origin: Floats) -> nx.MultiGraph:
    network = empty_network()
    for (u, v), line in zip(roads.ends.tolist(), roads.lines, strict=True):
        add_road(network, u, v, line - origin)
    return network
