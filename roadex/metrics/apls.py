"""APLS: average path length similarity of two road networks, in several presets."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx

from roadex.graph.network import merge_degree_two
from roadex.metrics import apls_cosmiq, apls_sat2graph
from roadex.metrics.ratios import NOT_SCORED, harmonic_mean
from roadex.metrics.roads import Roads, as_roads
from roadex.metrics.routes import DirectionScore, Routes, score_routes
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
    real, drawn = prepare(truth, settings), prepare(proposal, settings)
    if real.is_empty or drawn.is_empty:
        value = NOT_SCORED if real.is_empty and drawn.is_empty else 0.0
        return AplsScore(value, value, value, None, None, settings)
    forward, backward = (score_routes(routes) for routes in compare(real, drawn, settings))
    value = _total(forward.value, backward.value, settings)
    return AplsScore(value, forward.value, backward.value, forward, backward, settings)


def prepare(graph: nx.MultiGraph, settings: AplsSettings) -> Roads:
    """A network as the metric sees it."""
    return as_roads(merge_degree_two(graph) if settings.merge_degree_two else graph)


def compare(real: Roads, drawn: Roads, settings: AplsSettings) -> tuple[Routes, Routes]:
    """The routes of the truth in the proposal, and those of the proposal in the truth."""
    algorithm = apls_sat2graph if settings.algorithm == "sat2graph" else apls_cosmiq
    return algorithm.compare(real, drawn, settings)


def _total(forward: float, backward: float, settings: AplsSettings) -> float:
    """The harmonic mean of the two directions; the Go program takes the arithmetic one."""
    if settings.algorithm == "sat2graph":
        return (forward + backward) / 2
    return harmonic_mean(forward, backward)
