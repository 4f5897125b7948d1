"""APLS: average path length similarity of two road networks, in several presets."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx

from roadex.graph.network import merge_degree_two
from roadex.metrics import apls_cosmiq
from roadex.metrics.apls_cosmiq import DirectionScore
from roadex.metrics.ratios import NOT_SCORED, harmonic_mean
from roadex.metrics.roads import Roads, as_roads
from roadex.metrics.settings import PRESETS, AplsSettings


@dataclass(frozen=True)
class AplsScore:
    """APLS of a proposal, and what it was counted from.

    Attributes:
        value: the score in [0, 1]; nan (not scored) where both networks are empty.
        truth_to_proposal: how well the proposal has the truth's routes (like a recall).
        proposal_to_truth: how well the truth has the proposal's routes (like a precision).
        forward, backward: the counts of the two directions; None where a network is empty.
        settings: the settings of the score.
    """

    value: float
    truth_to_proposal: float
    proposal_to_truth: float
    forward: DirectionScore | None
    backward: DirectionScore | None
    settings: AplsSettings


def apls(
    truth: nx.MultiGraph, proposal: nx.MultiGraph, settings: AplsSettings = PRESETS["cosmiq"]
) -> AplsScore:
    """Score a proposal against the truth (networks as in roadex.graph.network, in metres).

    An empty proposal or an empty truth alone scores 0; both empty are not scored (nan).
    """
    real, drawn = (_prepared(graph, settings) for graph in (truth, proposal))
    if real.is_empty or drawn.is_empty:
        value = NOT_SCORED if real.is_empty and drawn.is_empty else 0.0
        return AplsScore(value, value, value, None, None, settings)
    forward = apls_cosmiq.score_direction(apls_cosmiq.compare(real, drawn, settings))
    backward = apls_cosmiq.score_direction(apls_cosmiq.compare(drawn, real, settings))
    value = harmonic_mean(forward.value, backward.value)
    return AplsScore(value, forward.value, backward.value, forward, backward, settings)


def _prepared(graph: nx.MultiGraph, settings: AplsSettings) -> Roads:
    return as_roads(merge_degree_two(graph) if settings.merge_degree_two else graph)
