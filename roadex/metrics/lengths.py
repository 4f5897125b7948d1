"""Buffered length metrics: completeness, correctness, quality, and the ratio of lengths.

Source: Heipke, Mayer, Wiedemann and Jamet (1997), Evaluation of automatic road extraction. Lengths
in metres; completeness looks from the truth to the proposal, correctness the other way.
"""

from __future__ import annotations

import math

import numpy as np

from roadex.metrics.intervals import length_within, segments
from roadex.metrics.pair import Pair
from roadex.metrics.ratios import Tally, share
from roadex.metrics.roads import Roads


def tally(pair: Pair) -> Tally:
    """Metres of road, and of road within the buffer of the other network."""
    real, drawn, reach = pair.real, pair.drawn, pair.settings.buffer
    return {
        "truth_m": _length(real),
        "proposal_m": _length(drawn),
        "truth_found_m": length_within(real, drawn, reach),
        "proposal_right_m": length_within(drawn, real, reach),
    }


def scores(counts: Tally) -> dict[str, float]:
    """completeness, correctness, quality, and ratio (proposed / true length).

    Quality is right / (proposed + true but not found). The ratio is infinite for a proposal where
    there is no road.
    """
    real, drawn = counts["truth_m"], counts["proposal_m"]
    right, found = counts["proposal_right_m"], counts["truth_found_m"]
    return {
        "completeness": share(found, real, other_empty=drawn == 0),
        "correctness": share(right, drawn, other_empty=real == 0),
        "quality": share(right, drawn + real - found, other_empty=True),
        "ratio": drawn / real if real > 0 else math.nan if drawn == 0 else math.inf,
    }


def _length(roads: Roads) -> float:
    steps = segments(roads)[1]
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())
