"""What a comparison says in figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from roadex.changes.engine import MAP, MISSING, OUTSIDE, ROADS, STATES, Comparison
from roadex.changes.inputs import bounds_of, inside

# A smaller share of the roads outside the compared area is not reported.
_NOTED_SHARE = 0.1
# What one side cannot be.
_NEVER = {(MISSING, MAP), ("unseen", ROADS)}


def rows_of(result: Comparison) -> list[dict[str, Any]]:
    """A row for each state and side: segments, km, km per km2 and the share of the side's roads."""
    area = result.area.area / 1e6
    totals = {side: _km(result, None, side) for side in (MAP, ROADS)}
    rows = []
    for state in STATES:
        for side in (MAP, ROADS):
            if (state, side) in _NEVER:
                continue
            km = _km(result, state, side)
            compared = state != OUTSIDE
            rows.append(
                {
                    "state": state,
                    "side": side,
                    "segments": sum(segment.side == side for segment in result.of(state)),
                    "km": round(km, 3),
                    "km_per_km2": round(km / area, 3) if compared and area else "",
                    "share": round(km / totals[side], 4) if compared and totals[side] else "",
                }
            )
    return rows


def facts_of(result: Comparison) -> dict[str, Any]:
    """The figures that stand above the table."""
    shift = result.shift
    old, new = (network.graph.get("dropped", {}) for network in result.networks)
    return {
        "crs": result.crs,
        "area_km2": round(result.area.area / 1e6, 4),
        "map_km": round(_km(result, None, MAP), 3),
        "roads_km": round(_km(result, None, ROADS), 3),
        "move_map_by_m": None if shift is None else [round(value, 2) for value in shift],
        "left_out": {MAP: old, ROADS: new},
        "notes": notes_of(result),
    }


def notes_of(result: Comparison) -> list[str]:
    """What makes the figures doubtful: roads beyond what both sides cover."""
    notes = []
    outside, compared = _km(result, OUTSIDE, ROADS), _km(result, None, ROADS)
    if outside > _NOTED_SHARE * (outside + compared):
        notes.append(
            f"{outside:,.1f} of {outside + compared:,.1f} km of roads lie outside what is "
            "compared: does the map cover all of them?"
        )
    missing = result.of(MISSING)
    box = shapely.box(*bounds_of(result.networks[0])) if len(result.networks[0]) else None
    if missing and box is not None:
        middles = np.array([segment.line[len(segment.line) // 2] for segment in missing])
        lengths = np.array([segment.length_m for segment in missing]) / 1000
        beyond = float(lengths[~inside(box, middles)].sum())
        if beyond > _NOTED_SHARE * float(lengths.sum()):
            notes.append(
                f"{beyond:,.1f} of {lengths.sum():,.1f} km missing lie beyond the outermost roads "
                "of the map: does its file end there?"
            )
    return notes


def table_text(rows: list[dict[str, Any]]) -> str:
    """The rows to read."""
    head = f"{'':<10}{'side':<8}{'segments':>8}{'km':>12}{'km/km2':>10}{'share':>9}"
    lines = [
        f"{row['state']:<10}{row['side']:<8}{row['segments']:>8}{row['km']:>12.3f}"
        f"{_cell(row['km_per_km2'], '.3f'):>10}{_cell(row['share'], '.1%'):>9}"
        for row in rows
    ]
    return "\n".join([head, *lines])


def _cell(value: float | str, form: str) -> str:
    return "" if isinstance(value, str) else format(value, form)


def _km(result: Comparison, state: str | None, side: str) -> float:
    """Km of a state, or of all that was compared."""
    return sum(
        segment.length_m / 1000
        for segment in result.segments
        if segment.side == side
        and (segment.state == state or (state is None and segment.state != OUTSIDE))
    )
