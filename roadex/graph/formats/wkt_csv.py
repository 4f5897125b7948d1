"""SpaceNet's submissions: a CSV of `ImageId` and `WKT_Pix`, lines in pixels.

Those of SpaceNet 5 have the seconds of a road, `travel_time_s`, beside its `length_m`.
"""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import shapely

from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.graph.formats.lines import Line, network_from_lines
from roadex.graph.formats.options import ReadOptions, read_text
from roadex.graph.frame import Gsd, pixel_size
from roadex.graph.skeleton import Floats

IMAGE, SHAPE, LENGTH, TIME = "ImageId", "WKT_Pix", "length_m", "travel_time_s"
_EMPTY = "LINESTRING EMPTY"
_TOLD = 60  # characters of a cell that a message repeats
_LONGEST_CELL = 1 << 30  # a city in one MULTILINESTRING exceeds the 128 kB of Python's default


def read_wkt_csv(path: Path, options: ReadOptions) -> dict[str, nx.MultiGraph]:
    """The networks of all images in a CSV, by image id, in the image frame.

    Raises:
        RoadexError: the columns are not there, or a shape is no line.
    """
    csv.field_size_limit(_LONGEST_CELL)
    rows = csv.DictReader(io.StringIO(read_text(path)))
    if not {IMAGE, SHAPE} <= set(rows.fieldnames or ()):
        raise RoadexError(f"{path} lacks the columns {IMAGE} and {SHAPE}: found {rows.fieldnames}")
    pixels: dict[str, list[Line]] = defaultdict(list)
    for row in rows:
        shape = _shape(path, rows.line_num, row[SHAPE])
        parts = [part for part in shapely.get_parts(shape) if not part.is_empty]
        seconds = _seconds(path, rows.line_num, row.get(TIME))
        pixels[_image_id(path, rows.line_num, row[IMAGE])] += [
            (shapely.get_coordinates(part), _share(seconds, part, shape)) for part in parts
        ]
    scale = np.array(options.pixel_size(path) if any(pixels.values()) else (1.0, 1.0))
    return {
        image: network_from_lines([(part * scale, attributes) for part, attributes in parts])
        for image, parts in pixels.items()
    }


def _image_id(path: Path, line: int, text: str | None) -> str:
    """An image id, which names files and so must not lead out of their folder."""
    if not text or text in (".", "..") or "/" in text or "\\" in text or "\0" in text:
        raise RoadexError(f"{path}, line {line}: {IMAGE} is not a plain name ({text!r})")
    return text


def _shape(path: Path, line: int, text: str | None) -> shapely.Geometry:
    start = (text or "").strip()[:_TOLD]
    # Nothing else is parsed: deeply nested collections crash GEOS.
    if not start.upper().startswith(("LINESTRING", "MULTILINESTRING")):
        raise RoadexError(f"{path}, line {line}: {SHAPE} is not a line ({start!r})")
    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.ShapelyError as error:
        raise RoadexError(f"{path}, line {line}: {SHAPE} is not WKT ({start!r})") from error
    return shape


def _seconds(path: Path, line: int, text: str | None) -> float | None:
    """A travel time; None where the file has none."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0:
        raise RoadexError(f"{path}, line {line}: {TIME} is no number of seconds ({text!r})")
    return seconds


def _share(
    seconds: float | None, part: shapely.Geometry, whole: shapely.Geometry
) -> dict[str, Any]:
    """The time of one part of a shape; None if unknown."""
    return {TIME: seconds * part.length / whole.length} if seconds and whole.length else {}


def write_wkt_csv(networks: dict[str, nx.MultiGraph], path: Path, gsd: Gsd) -> None:
    """Write networks by image id, a row for each road; an image without roads gets an empty line.

    Where roads have a `travel_time_s`, it is the fourth column, as in SpaceNet 5.

    Raises:
        RoadexError: a network is not in the image frame.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    timed = any(TIME in d for graph in networks.values() for *_, d in graph.edges(data=True))
    columns = [LENGTH, TIME] if timed else [LENGTH]
    writer.writerow([IMAGE, SHAPE, *columns])
    for image, graph in networks.items():
        if graph.graph.get("crs") is not None:
            raise RoadexError(
                f"{path}: this format holds pixels, but the network is in a map's CRS"
            )
        rows = [
            [image, _wkt(data["geometry"] / pixel_size(gsd)), data["length"]]
            + ([data.get(TIME, "")] if timed else [])
            for *_, data in graph.edges(data=True)
        ]
        writer.writerows(rows or [[image, _EMPTY, *(0 for _ in columns)]])
    with atomic_write(path) as temporary:
        temporary.write_text(table.getvalue(), encoding="utf-8")


def _wkt(line: Floats) -> str:
    return "LINESTRING (" + ", ".join(f"{x!r} {y!r}" for x, y in line.tolist()) + ")"
