"""How the states of segments are drawn, in QGIS and on the page, in colours for all eyes."""

from __future__ import annotations

from roadex.changes.engine import CHANGED, MATCHED, MISSING, MOVED, UNSEEN
from roadex.graph.formats.qgis import Line, single_style

COLOURS = {
    MATCHED: (154, 165, 177),
    CHANGED: (204, 121, 167),
    MOVED: (230, 159, 0),
    UNSEEN: (0, 114, 178),
    MISSING: (213, 94, 0),
}
_WIDTHS_MM = {MATCHED: 0.4, CHANGED: 0.8, MOVED: 0.8, UNSEEN: 0.9, MISSING: 0.9}
_DASHED = (UNSEEN,)


def style_of(state: str) -> str:
    """The QGIS style of a layer."""
    return single_style(Line(COLOURS[state], _WIDTHS_MM[state], state in _DASHED))


def css_colour(state: str) -> str:
    """The colour of a state for a page."""
    return "#{:02x}{:02x}{:02x}".format(*COLOURS[state])
