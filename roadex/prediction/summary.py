"""What was found, in a few numbers."""

from __future__ import annotations

from typing import Any

import networkx as nx

from roadex.graph.network import position, total_length

_BORDER_PX = 1.0


def describe(
    frame: nx.MultiGraph, extent_m: tuple[float, float], pixel_m: float, valid_share: float
) -> dict[str, Any]:
    """Figures of a network in metres in the image frame.

    Args:
        extent_m: width and height of the image.
        pixel_m: its pixel size; an end so near to the border is a road that leaves the image.
        valid_share: how much of the image has data.
    """
    ends = [node for node, degree in frame.degree if degree == 1]
    leaving = sum(
        _at_border(position(frame, node), extent_m, _BORDER_PX * pixel_m) for node in ends
    )
    return {
        "road_km": round(total_length(frame) / 1000, 3),
        "roads": frame.number_of_edges(),
        "junctions": sum(degree > 2 for _, degree in frame.degree),
        "dead_ends": len(ends) - leaving,
        "roads_leaving_the_image": leaving,
        "components": nx.number_connected_components(frame),
        "area_km2": round(extent_m[0] * extent_m[1] * valid_share / 1e6, 6),
    }


def _at_border(place: tuple[float, float], extent_m: tuple[float, float], reach: float) -> bool:
    return any(
        not reach < value < side - reach for value, side in zip(place, extent_m, strict=True)
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
