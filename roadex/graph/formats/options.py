"""What a reader of road networks may be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from roadex.config.graph import GraphSettings
from roadex.graph.frame import Gsd

PLANAR = "planar"
HAVERSINE_MM = "haversine_mm"

# How the reference APLS program reads GeoJSON, for scores equal to its own.
COSMIQ_READER: dict[str, Any] = {
    "edge_length": HAVERSINE_MM,
    "min_component_m": 5.0,
    "doubled_vanish": True,
}


@dataclass(frozen=True)
class ReadOptions:
    """Settings of the readers; each uses those that concern it."""

    # Metres per pixel of formats whose coordinates are pixels.
    gsd: Gsd = 1.0
    # The projected CRS that longitudes and latitudes are brought to; None: their UTM zone.
    crs: str | None = None
    # How the length of a road in degrees is measured: PLANAR after projection, or HAVERSINE_MM as
    # the reference APLS program does: each piece on a sphere, rounded to a millimetre.
    edge_length: str = PLANAR
    # Components of GeoJSON lines whose longest shortest path is shorter than this are left out.
    min_component_m: float = 0.0
    # Whether roads drawn twice disappear, both of them, as in the reference APLS program's reader:
    # pieces that two lines share, and self-loops, which it draws once in either direction.
    doubled_vanish: bool = False
    # The way from a mask to a graph.
    graph: GraphSettings = field(default_factory=GraphSettings)
