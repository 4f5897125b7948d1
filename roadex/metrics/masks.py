"""The mask metrics of road networks, drawn on one grid first, and the clDice of two masks."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import networkx as nx
import numpy as np
from skimage.morphology import skeletonize

from roadex.graph.network import add_road, empty_network
from roadex.graph.raster import draw_roads
from roadex.metrics.pair import Pair
from roadex.metrics.pixel import Mask, RelaxedCounts
from roadex.metrics.ratios import Tally, harmonic_mean, share
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


@dataclass(frozen=True)
class ClDiceCounts:
    """Skeleton pixels, and those inside the other mask; add two to pool tiles."""

    proposal_inside: int = 0
    proposal: int = 0
    truth_inside: int = 0
    truth: int = 0

    @classmethod
    def of(cls, truth: Mask, proposal: Mask) -> ClDiceCounts:
        """Skeletonise both masks (H, W) and look where each skeleton lies."""
        truth, proposal = np.asarray(truth, dtype=bool), np.asarray(proposal, dtype=bool)
        real, drawn = skeletonize(truth), skeletonize(proposal)
        return cls(
            proposal_inside=int((drawn & truth).sum()),
            proposal=int(drawn.sum()),
            truth_inside=int((real & proposal).sum()),
            truth=int(real.sum()),
        )

    def __add__(self, other: ClDiceCounts) -> ClDiceCounts:
        return ClDiceCounts(
            self.proposal_inside + other.proposal_inside,
            self.proposal + other.proposal,
            self.truth_inside + other.truth_inside,
            self.truth + other.truth,
        )

    @property
    def precision(self) -> float:
        """Topology precision."""
        return share(self.proposal_inside, self.proposal, other_empty=self.truth == 0)

    @property
    def sensitivity(self) -> float:
        """Topology sensitivity."""
        return share(self.truth_inside, self.truth, other_empty=self.proposal == 0)

    @property
    def value(self) -> float:
        """clDice."""
        return harmonic_mean(self.precision, self.sensitivity)
