"""APLS: average path length similarity of two road networks, in several presets."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx

from roadex.config.metrics import PRESETS, AplsSettings
from roadex.errors import RoadexError
from roadex.graph.attributes import described
from roadex.graph.network import merge_degree_two
from roadex.metrics.apls import cosmiq as apls_cosmiq
from roadex.metrics.apls import sat2graph as apls_sat2graph
from roadex.metrics.apls.routes import DirectionScore, Routes, score_routes
from roadex.metrics.ratios import NOT_SCORED, Tally, harmonic_mean
from roadex.metrics.roads import as_roads


@dataclass(frozen=True)
class AplsScore:
    """APLS of a proposal, and what it was counted from.

    Attributes:
        value: the score in [0, 1]; nan (not scored) where both networks are empty, or both too
            small for a route.
        truth_to_proposal: how well the proposal has the truth's routes (like a recall).
        proposal_to_truth: how well the truth has the proposal's routes (like a precision).
        forward, backward: the counts of the two directions; None where there is no road to start
            from.
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

    An empty proposal or an empty truth alone scores 0; both empty, or both without a road long
    enough for a route, are not scored (nan).
    """
    return score(compare(truth, proposal, settings), settings)


def apls_time(
    truth: nx.MultiGraph, proposal: nx.MultiGraph, settings: AplsSettings = PRESETS["cosmiq"]
) -> AplsScore:
    """APLS_time: APLS of travel times in seconds instead of lengths in metres.

    Control points and where they snap are those of APLS. Times come from the attributes of
    roads (see roadex.graph.attributes); `min_path` is in seconds, as in the reference program.

    Raises:
        RoadexError: the settings are those of the Go program, which has no travel times.
    """
    return score(compare_times(truth, proposal, settings), settings)


def compare_times(
    truth: nx.MultiGraph, proposal: nx.MultiGraph, settings: AplsSettings
) -> tuple[Routes | None, Routes | None]:
    """As `compare`, in seconds."""
    if settings.algorithm != "cosmiq":
        raise RoadexError("APLS_time is defined for apls.algorithm=cosmiq: choose apls=cosmiq")
    return compare(described(truth), described(proposal), settings, "travel_time_s")


def compare(
    truth: nx.MultiGraph, proposal: nx.MultiGraph, settings: AplsSettings, weight: str = "length"
) -> tuple[Routes | None, Routes | None]:
    """The routes of the truth in the proposal, and of the proposal in the truth.

    A network without roads gives None, and then all routes of the other one are missing. `weight`
    is the attribute that routes add up.
    """
    algorithm = apls_sat2graph if settings.algorithm == "sat2graph" else apls_cosmiq
    graphs = (truth, proposal)
    if settings.merge_degree_two:
        graphs = (merge_degree_two(truth), merge_degree_two(proposal))
    real, drawn = as_roads(graphs[0], weight), as_roads(graphs[1], weight)
    if real.is_empty or drawn.is_empty:
        return (
            None if real.is_empty else algorithm.unmatched(real, settings),
            None if drawn.is_empty else algorithm.unmatched(drawn, settings),
        )
    result: tuple[Routes | None, Routes | None] = algorithm.compare(real, drawn, settings)
    return result


def score(routes: tuple[Routes | None, Routes | None], settings: AplsSettings) -> AplsScore:
    """The score of compared routes."""
    forward, backward = (score_routes(one) if one else None for one in routes)
    if forward is None and backward is None:
        return AplsScore(NOT_SCORED, NOT_SCORED, NOT_SCORED, None, None, settings)
    if forward is None or backward is None:
        return AplsScore(0.0, 0.0, 0.0, forward, backward, settings)
    if forward.routes == backward.routes == 0:  # roads, but none long enough for a route
        return AplsScore(NOT_SCORED, NOT_SCORED, NOT_SCORED, forward, backward, settings)
    value = total(forward.value, backward.value, settings)
    return AplsScore(value, forward.value, backward.value, forward, backward, settings)


def total(forward: float, backward: float, settings: AplsSettings) -> float:
    """The harmonic mean of the two directions; the Go program takes the arithmetic one."""
    if settings.algorithm == "sat2graph":
        return (forward + backward) / 2
    return harmonic_mean(forward, backward)


def tally(result: AplsScore) -> Tally:
    """The counts of a score, which add up over tiles."""
    counts: Tally = {}
    for name, way in (("truth", result.forward), ("proposal", result.backward)):
        counts[f"{name}_networks"] = int(way is not None)
        counts[f"{name}_points"] = way.control_points if way else 0
        counts[f"{name}_points_missing"] = way.missing_points if way else 0
        counts[f"{name}_routes"] = way.routes if way else 0
        counts[f"{name}_routes_missing"] = way.missing_routes if way else 0
        counts[f"{name}_cost"] = way.cost if way else 0.0
    return counts


def pooled(counts: Tally, settings: AplsSettings) -> dict[str, float]:
    """The score of all routes of many tiles together, from their summed counts."""
    routes = counts["truth_routes"] + counts["proposal_routes"]
    if counts["truth_networks"] == counts["proposal_networks"] and not routes:
        ways = [NOT_SCORED, NOT_SCORED]
    else:
        ways = [
            1 - counts[f"{name}_cost"] / counts[f"{name}_routes"]
            if counts[f"{name}_routes"]
            else 0.0
            for name in ("truth", "proposal")
        ]
    return {
        "": total(ways[0], ways[1], settings),
        "truth_to_proposal": ways[0],
        "proposal_to_truth": ways[1],
    }
