"""Pixel metrics of road masks: confusion counts, relaxed skeleton counts, the best threshold.

Counts add up over tiles, so that a split is scored from the sums and not from a mean of ratios.
Masks are boolean (H, W) arrays; `ignore` marks pixels that no score counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import skeletonize

from roadex.metrics.ratios import harmonic_mean, share

Mask = NDArray[np.bool_]
BINS = 256


@dataclass(frozen=True)
class Confusion:
    """Pixel counts of a binary mask against the truth; add two to pool tiles."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0

    @classmethod
    def of(cls, truth: Mask, proposal: Mask, ignore: Mask | None = None) -> Confusion:
        """Count a proposal mask (H, W) against the truth (H, W), without the ignored pixels."""
        code = np.asarray(truth, dtype=bool) * np.uint8(2) + np.asarray(proposal, dtype=bool)
        valid = code if ignore is None else code[~np.asarray(ignore, dtype=bool)]
        background, false_road, missed, found = np.bincount(valid.ravel(), minlength=4).tolist()
        return cls(found, false_road, missed, background)

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
            self.true_negative + other.true_negative,
        )

    @property
    def precision(self) -> float:
        """Share of the proposed road pixels that are road."""
        proposed = self.true_positive + self.false_positive
        return share(self.true_positive, proposed, other_empty=self.false_negative == 0)

    @property
    def recall(self) -> float:
        """Share of the true road pixels that are proposed."""
        real = self.true_positive + self.false_negative
        return share(self.true_positive, real, other_empty=self.false_positive == 0)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return harmonic_mean(self.precision, self.recall)

    @property
    def iou(self) -> float:
        """Intersection over union of the road class (accurate, not relaxed)."""
        union = self.true_positive + self.false_positive + self.false_negative
        return share(self.true_positive, union, other_empty=True)

    def scores(self) -> dict[str, float]:
        """The four ratios by name."""
        return {name: getattr(self, name) for name in ("precision", "recall", "f1", "iou")}


@dataclass(frozen=True)
class RelaxedCounts:
    """Skeleton pixels within a buffer of the other skeleton (Batra et al., CVPR 2019).

    Precision is matched / all proposed skeleton pixels, recall matched / all true ones, relaxed
    IoU is PR / (P + R - PR). Add two to pool tiles.
    """

    matched_proposal: int = 0
    proposal: int = 0
    matched_truth: int = 0
    truth: int = 0

    @classmethod
    def of(
        cls, truth: Mask, proposal: Mask, buffer_px: float = 3.0, ignore: Mask | None = None
    ) -> RelaxedCounts:
        """Skeletonise both masks (H, W) and match them within `buffer_px` pixels (inclusive)."""
        keep = np.ones(truth.shape, dtype=bool) if ignore is None else ~np.asarray(ignore, bool)
        real = skeletonize(np.asarray(truth, dtype=bool)) & keep
        drawn = skeletonize(np.asarray(proposal, dtype=bool)) & keep
        return cls(
            matched_proposal=int((drawn & _near(real, buffer_px)).sum()),
            proposal=int(drawn.sum()),
            matched_truth=int((real & _near(drawn, buffer_px)).sum()),
            truth=int(real.sum()),
        )

    def __add__(self, other: RelaxedCounts) -> RelaxedCounts:
        return RelaxedCounts(
            self.matched_proposal + other.matched_proposal,
            self.proposal + other.proposal,
            self.matched_truth + other.matched_truth,
            self.truth + other.truth,
        )

    @property
    def precision(self) -> float:
        """Share of the proposed skeleton near the true one."""
        return share(self.matched_proposal, self.proposal, other_empty=self.truth == 0)

    @property
    def recall(self) -> float:
        """Share of the true skeleton near the proposed one."""
        return share(self.matched_truth, self.truth, other_empty=self.proposal == 0)

    @property
    def f1(self) -> float:
        """Harmonic mean of relaxed precision and recall."""
        return harmonic_mean(self.precision, self.recall)

    @property
    def iou(self) -> float:
        """Relaxed IoU, PR / (P + R - PR), which equals F1 / (2 - F1)."""
        return self.f1 / (2 - self.f1)

    def scores(self) -> dict[str, float]:
        """The four ratios by name."""
        return {name: getattr(self, name) for name in ("precision", "recall", "f1", "iou")}


@dataclass
class ThresholdCurve:
    """Histograms of the road probability on road and on background pixels.

    A pixel is proposed as road where its probability is >= the threshold. Thresholds are i / 256,
    which a float holds exactly, so that a count from the histograms equals a count from the pixels.
    """

    road: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    background: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))

    def update(
        self, probability: NDArray[np.floating], truth: Mask, ignore: Mask | None = None
    ) -> None:
        """Add the pixels of a tile: probabilities (H, W) in [0, 1] and the true mask (H, W)."""
        bins = np.clip((np.asarray(probability) * BINS).astype(np.int64), 0, BINS - 1)
        road = np.asarray(truth, dtype=bool)
        keep = np.ones(road.shape, dtype=bool) if ignore is None else ~np.asarray(ignore, bool)
        self.road += np.bincount(bins[road & keep], minlength=BINS)
        self.background += np.bincount(bins[~road & keep], minlength=BINS)

    def confusion(self, threshold: float) -> Confusion:
        """Counts at a threshold, which is rounded to the nearest i / 256."""
        first = int(np.clip(round(threshold * BINS), 0, BINS))
        return Confusion(
            true_positive=int(self.road[first:].sum()),
            false_positive=int(self.background[first:].sum()),
            false_negative=int(self.road[:first].sum()),
            true_negative=int(self.background[:first].sum()),
        )

    def best_threshold(self) -> float:
        """The threshold in (0, 1) of the highest F1; among equals the nearest to 0.5.

        0.5 where no pixel is road, since every threshold is equally good there.
        """
        thresholds = np.arange(1, BINS) / BINS
        scores = np.array([self.confusion(threshold).f1 for threshold in thresholds])
        if not self.road.any():
            return 0.5
        best = thresholds[scores == np.nanmax(scores)]
        return float(best[np.argmin(np.abs(best - 0.5))])


@dataclass
class SlackCurve:
    """Relaxed precision and recall of pixels at every threshold (Mnih 2013, section 6.2).

    A proposed road pixel is right within `slack_px` pixels of a true one, and a true one is found
    within as many of a proposed one. Unlike `RelaxedCounts` this is about surfaces, not skeletons.
    """

    slack_px: int = 3
    right: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    proposed: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    found: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))

    def update(self, bins: NDArray[np.uint8], truth: Mask, ignore: Mask) -> None:
        """Add a tile: probabilities (H, W) in 1/256, rounded down, and the true mask (H, W)."""
        keep = ~ignore
        near = _near(truth, self.slack_px)
        self.right += np.bincount(bins[near & keep], minlength=BINS)
        self.proposed += np.bincount(bins[keep], minlength=BINS)
        reach = np.arange(-self.slack_px, self.slack_px + 1)
        disc = (np.hypot(*np.meshgrid(reach, reach)) <= self.slack_px).astype(np.uint8)
        likeliest = np.asarray(cv2.dilate(np.where(keep, bins, 0).astype(np.uint8), disc))
        self.found += np.bincount(likeliest[truth & keep], minlength=BINS)

    def break_even(self) -> tuple[float, float]:
        """The value at which relaxed precision and recall meet, and the threshold there.

        NaN where no pixel is road.
        """
        total = self.found.sum()
        if not total:
            return float("nan"), float("nan")
        above = [counts[::-1].cumsum()[::-1][1:] for counts in (self.right, self.proposed)]
        precision = above[0] / np.maximum(above[1], 1)
        recall = self.found[::-1].cumsum()[::-1][1:] / total
        known = above[1] > 0
        nearest = int(np.argmin(np.where(known, np.abs(precision - recall), np.inf)))
        value = (precision[nearest] + recall[nearest]) / 2
        return float(value), (nearest + 1) / BINS


def _near(mask: Mask, distance_px: float) -> Mask:
    """Pixels whose centre lies within `distance_px` of a pixel of the mask."""
    if not mask.any():
        return np.zeros(mask.shape, dtype=bool)
    to_mask = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return to_mask <= distance_px + 1e-4
