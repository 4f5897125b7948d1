"""A comparison as one self-contained page: a map, figures and the longest segments."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from roadex.changes.detours import LONGEST_M
from roadex.changes.engine import (
    CHANGED,
    MAP,
    MATCHED,
    MISSING,
    MOVED,
    ROADS,
    UNSEEN,
    Comparison,
    Segment,
)
from roadex.changes.styles import css_colour
from roadex.changes.summary import facts_of, rows_of
from roadex.plots.html import array_text, script_data, write_page

# In the order in which they are drawn, the last on top.
_DRAWN = (MATCHED, CHANGED, MOVED, UNSEEN, MISSING)
_LISTED = {
    MISSING: "The longest roads that the map lacks",
    UNSEEN: "The longest roads of the map that were not found",
    MOVED: "The longest roads that lie elsewhere",
    CHANGED: "The longest roads that have changed",
}
_LONGEST = 15
_TOLERANCE_M = 0.5


def write_changes_page(result: Comparison, path: Path, title: str) -> None:
    """Write the page.

    Raises:
        RoadexError: it cannot be written.
    """
    write_page(
        path,
        "changes.html",
        title=title,
        lead=_lead(facts_of(result)),
        table=_table(rows_of(result)),
        colours={state: css_colour(state) for state in _DRAWN},
        lists={
            heading: _list(segments)
            for state, heading in _LISTED.items()
            if (segments := result.of(state))
        },
        shortcuts=_shortcuts(result.of(MISSING)),
        data=script_data(_content(result)),
    )


def _lead(facts: dict[str, Any]) -> str:
    parts = [
        f"{facts['map_km']:,.1f} km of the map and {facts['roads_km']:,.1f} km of roads on "
        f"{facts['area_km2']:,.2f} km2 ({facts['crs'] or 'frame of the image'})"
    ]
    if facts["move_map_by_m"] is not None:
        x, y = facts["move_map_by_m"]
        parts.append(
            f"the map as a whole has to be moved by ({x:.1f}, {y:.1f}) m to lie on the roads"
        )
    text = "; ".join(parts) + ". Lines of the map are dashed where they do not match."
    return " ".join([text, *(note[0].upper() + note[1:] for note in facts["notes"])])


def _table(rows: list[dict[str, Any]]) -> list[list[str]]:
    head = ["segments", "whose line", "number", "km", "km per km2", "share"]
    return [
        head,
        *(
            [
                row["state"],
                row["side"],
                f"{row['segments']:,}",
                f"{row['km']:,.2f}",
                f"{row['km_per_km2']:.2f}" if row["km_per_km2"] != "" else "",
                f"{row['share']:.1%}" if row["share"] != "" else "",
            ]
            for row in rows
        ),
    ]


def _list(segments: list[Segment]) -> list[list[str]]:
    longest = sorted(segments, key=lambda segment: -segment.length_m)[:_LONGEST]
    head = ["whose line", "rank", "length in m", "confidence", "offset in m", "note", "x, y"]
    return [
        head,
        *(
            [
                segment.side,
                str(segment.rank),
                f"{segment.length_m:,.0f}",
                f"{segment.confidence:.2f}",
                f"{math.hypot(*segment.offset):.1f}" if segment.offset else "",
                segment.note,
                "{:,.0f}, {:,.0f}".format(*segment.line[len(segment.line) // 2]),
            ]
            for segment in longest
        ),
    ]


def _shortcuts(segments: list[Segment]) -> list[list[str]]:
    """The missing roads with the longest detours, with a head; empty if there are none."""
    known = [segment for segment in segments if segment.detour_m]
    longest = sorted(known, key=lambda segment: -(segment.detour_m or 0))[:_LONGEST]
    if not longest:
        return []
    head = ["detour in m", "rank", "length in m", "confidence", "x, y"]
    return [
        head,
        *(
            [
                f"{segment.detour_m:,.0f}"
                if (segment.detour_m or 0) < LONGEST_M
                else f"{LONGEST_M:,.0f} or no way",
                str(segment.rank),
                f"{segment.length_m:,.0f}",
                f"{segment.confidence:.2f}",
                "{:,.0f}, {:,.0f}".format(*segment.line[len(segment.line) // 2]),
            ]
            for segment in longest
        ),
    ]


def _content(result: Comparison) -> dict[str, Any]:
    """All segments by state and side, as the page's script reads them: y runs downwards."""
    low_x, low_y, high_x, high_y = result.area.bounds
    y_down = result.crs is None
    groups = []
    for state in _DRAWN:
        for side in (MAP, ROADS):
            segments = [segment for segment in result.of(state) if segment.side == side]
            if segments:
                origin = (low_x, low_y if y_down else high_y)
                groups.append(_group(state, side, segments, origin, y_down))
    return {"extent": [high_x - low_x, high_y - low_y], "groups": groups}


def _group(
    state: str, side: str, segments: list[Segment], origin: tuple[float, float], y_down: bool
) -> dict[str, Any]:
    shapes = np.array([shapely.linestrings(segment.line) for segment in segments])
    simple = shapely.simplify(shapes, _TOLERANCE_M, preserve_topology=False)
    points = (shapely.get_coordinates(simple) - origin) * (1.0, 1.0 if y_down else -1.0)
    starts = np.concatenate([[0], np.cumsum(shapely.get_num_points(simple))])
    offsets = [math.hypot(*segment.offset) if segment.offset else math.nan for segment in segments]
    detours = [math.nan if s.detour_m is None else s.detour_m for s in segments]
    return {
        "state": state,
        "side": side,
        "colour": css_colour(state),
        "points": array_text(points, "f4"),
        "starts": array_text(starts, "u4"),
        "lengths": array_text([segment.length_m for segment in segments], "f4"),
        "confidences": array_text([segment.confidence for segment in segments], "f4"),
        "offsets": array_text(offsets, "f4"),
        "detours": array_text(detours, "f4"),
        "notes": {index: segment.note for index, segment in enumerate(segments) if segment.note},
    }
