"""How the states of segments are drawn, in QGIS and on the page, in colours for all eyes."""

from __future__ import annotations

from roadex.changes.engine import CHANGED, MATCHED, MISSING, MOVED, UNSEEN

COLOURS = {
    MATCHED: (154, 165, 177),
    CHANGED: (204, 121, 167),
    MOVED: (230, 159, 0),
    UNSEEN: (0, 114, 178),
    MISSING: (213, 94, 0),
}
_WIDTHS_MM = {MATCHED: 0.4, CHANGED: 0.8, MOVED: 0.8, UNSEEN: 0.9, MISSING: 0.9}
_DASHED = (UNSEEN,)
_QML = """<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <renderer-v2 type="singleSymbol" forceraster="0" symbollevels="0" enableorderby="0">
  <symbols>
   <symbol type="line" name="0" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
{options}
     </Option>
    </layer>
   </symbol>
  </symbols>
  <rotation/>
  <sizescale/>
 </renderer-v2>
 <layerGeometryType>1</layerGeometryType>
</qgis>
"""


def style_of(state: str) -> str:
    """The QGIS style of a layer."""
    options = {
        "capstyle": "round",
        "joinstyle": "round",
        "line_color": ",".join(map(str, (*COLOURS[state], 255))),
        "line_style": "dash" if state in _DASHED else "solid",
        "line_width": str(_WIDTHS_MM[state]),
        "line_width_unit": "MM",
    }
    rows = [f'      <Option type="QString" name="{k}" value="{v}"/>' for k, v in options.items()]
    return _QML.format(options="\n".join(rows))


def css_colour(state: str) -> str:
    """The colour of a state for a page."""
    return "#{:02x}{:02x}{:02x}".format(*COLOURS[state])
