"""clDice: how much of each mask's centreline lies in the other mask.

Source: Shit et al. (2021), clDice - a novel topology-preserving loss function for tubular structure
segmentation. Topology precision: share of the proposal's skeleton inside the true mask; topology
sensitivity: share of the truth's skeleton inside the proposed mask; clDice: their harmonic mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage.morphology import skeletonize

from roadex.metrics.pixel import Mask
from roadex.metrics.ratios import harmonic_mean, share


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
