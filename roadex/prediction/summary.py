"""Figures of a road network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.network import position, total_length
from roadex.graph.road_table import RoadTable

_BORDER_PX = 1.0


def describe(
    found: nx.MultiGraph | RoadTable,
    extent_m: tuple[float, float],
    pixel_m: float,
    valid_share: float,
) -> dict[str, Any]:
    """Figures of a network in metres in the image frame.

    Args:
        found: in metres in the image frame.
        extent_m: width and height of the image.
        pixel_m: its pixel size; an end so near to the border is a road that leaves the image.
        valid_share: how much of the image has data.
    """
    counted = _of_table(found) if isinstance(found, RoadTable) else _of_graph(found)
    reach = _BORDER_PX * pixel_m
    inner = (counted.ends > reach) & (counted.ends < np.array(extent_m) - reach)
    dead = int(inner.all(axis=1).sum())
    return {
        "road_km": round(counted.metres / 1000, 3),
        "roads": counted.roads,
        "junctions": counted.junctions,
        "dead_ends": dead,
        "roads_leaving_the_image": len(counted.ends) - dead,
        "components": counted.components,
        "area_km2": round(extent_m[0] * extent_m[1] * valid_share / 1e6, 6),
    }


@dataclass(frozen=True)
class _Counted:
    """Figures of a network; `ends` (n, 2) are the places where one road ends alone."""

    metres: float
    roads: int
    junctions: int
    components: int
    ends: NDArray[np.float64]


def _of_graph(graph: nx.MultiGraph) -> _Counted:
    ends = [position(graph, node) for node, degree in graph.degree if degree == 1]
    return _Counted(
        total_length(graph),
        graph.number_of_edges(),
        sum(degree > 2 for _, degree in graph.degree),
        nx.number_connected_components(graph),
        np.array(ends, dtype=np.float64).reshape(-1, 2),
    )


def _of_table(table: RoadTable) -> _Counted:
    degrees = table.degrees()
    return _Counted(
        float(table.lengths.sum()),
        len(table),
        int((degrees > 2).sum()),
        table.components()[0],
        table.places[degrees == 1],
    )


def with_speed(summary: dict[str, Any], seconds: dict[str, float]) -> dict[str, Any]:
    """A summary with the seconds of each step, their sum, and square kilometres per hour."""
    total = sum(seconds.values())
    rounded = {step: round(value, 3) for step, value in seconds.items()}
    rate = summary["area_km2"] / max(total, 1e-9) * 3600
    return {
        **summary,
        "seconds": round(total, 3),
        "seconds_of": rounded,
        "km2_per_h": round(rate, 3),
    }


def one_line(summary: dict[str, Any]) -> str:
    """The summary for a terminal."""
    return (
        f"{summary['road_km']:.2f} km of road, {summary['junctions']} junctions, "
        f"{summary['dead_ends']} dead ends, {summary['components']} components; "
        f"{summary['area_km2']:.3f} km2 in {summary['seconds']:.1f} s "
        f"({summary['km2_per_h']:.1f} km2/h)"
    )
