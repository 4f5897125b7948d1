"""Styles of QGIS for layers of lines, which a GeoPackage carries in its table `layer_styles`."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

from roadex.graph.attribute_labels import CLASSES

Colour = tuple[int, int, int]
# As QGIS reads it.
_TABLE = """CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
    f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
    styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
    owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT CURRENT_TIMESTAMP)"""
_QML = """<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <renderer-v2 {renderer} forceraster="0" symbollevels="0" enableorderby="0">
{choices}  <symbols>
{symbols}
  </symbols>
  <rotation/>
  <sizescale/>
 </renderer-v2>
 <layerGeometryType>1</layerGeometryType>
</qgis>
"""
_SYMBOL = """   <symbol type="line" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
{options}
     </Option>
    </layer>
   </symbol>"""
# From motorways to tracks, and of probabilities from low to high: those of the map page, but
# for its white.
_CLASS_COLOURS: tuple[Colour, ...] = (
    (240, 228, 66), (230, 159, 0), (204, 121, 167), (86, 180, 233),
    (60, 60, 60), (0, 158, 115), (176, 125, 60),
)  # fmt: skip
_UNKNOWN: Colour = (160, 160, 160)
_STEPS: tuple[tuple[float, Colour], ...] = (
    (0.5, (177, 42, 144)), (0.6, (204, 71, 120)), (0.7, (230, 108, 92)), (0.8, (246, 143, 68)),
    (0.9, (253, 195, 40)), (1.0, (240, 249, 33)),
)  # fmt: skip
_ROAD: Colour = (0, 114, 178)


@dataclass(frozen=True)
class Line:
    """How a line is drawn."""

    colour: Colour
    width_mm: float = 0.8
    is_dashed: bool = False


def single_style(line: Line) -> str:
    """The style of a layer whose lines are all drawn alike."""
    return _style('type="singleSymbol"', "", [line])


def road_style(columns: Collection[str]) -> str:
    """The style of predicted roads: by class if they have one, else by probability, else alike."""
    if "highway" in columns:
        return _by_class()
    if "mean_probability" in columns:
        return _by_probability()
    return single_style(Line(_ROAD))


def _by_class() -> str:
    """Colours by class; all other classes in grey."""
    widths = [1.4, 1.2, 1.1, 1.0, 0.8, 0.7, 0.6]
    lines = [Line(colour, width) for colour, width in zip(_CLASS_COLOURS, widths, strict=True)]
    names = [(name, name) for name in CLASSES] + [("", "other")]
    rows = [
        f'   <category symbol="{i}" value={quoteattr(value)} label={quoteattr(label)} '
        'render="true"/>'
        for i, (value, label) in enumerate(names)
    ]
    choices = "  <categories>\n" + "\n".join(rows) + "\n  </categories>\n"
    return _style('type="categorizedSymbol" attr="highway"', choices, [*lines, Line(_UNKNOWN)])


def _by_probability() -> str:
    """Colours by the mean probability along the road."""
    bounds = [0.0, *(top for top, _ in _STEPS)]
    rows = [
        f'   <range symbol="{i}" lower="{low}" upper="{high}" label="{low:g} to {high:g}" '
        'render="true"/>'
        for i, (low, high) in enumerate(pairwise(bounds))
    ]
    choices = "  <ranges>\n" + "\n".join(rows) + "\n  </ranges>\n"
    renderer = 'type="graduatedSymbol" attr="mean_probability" graduatedMethod="GraduatedColor"'
    return _style(renderer, choices, [Line(colour, 1.0) for _, colour in _STEPS])


def _style(renderer: str, choices: str, lines: Sequence[Line]) -> str:
    symbols = [_symbol(str(number), line) for number, line in enumerate(lines)]
    return _QML.format(renderer=renderer, choices=choices, symbols="\n".join(symbols))


def _symbol(name: str, line: Line) -> str:
    options = {
        "capstyle": "round",
        "joinstyle": "round",
        "line_color": ",".join(map(str, (*line.colour, 255))),
        "line_style": "dash" if line.is_dashed else "solid",
        "line_width": str(line.width_mm),
        "line_width_unit": "MM",
    }
    rows = [f'      <Option type="QString" name="{k}" value="{v}"/>' for k, v in options.items()]
    return _SYMBOL.format(name=name, options="\n".join(rows))


def add_styles(path: Path, styles: Mapping[str, str]) -> None:
    """Give layers of a GeoPackage their default style, by the name of the layer."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_TABLE)
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, "
            "last_change, srs_id) VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
            (now,),
        )
        columns = dict(
            database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
        )
        database.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner) "
            "VALUES ('', '', ?, ?, ?, ?, '', 1, 'roadex', '')",
            [(layer, columns[layer], layer, style) for layer, style in styles.items()],
        )
