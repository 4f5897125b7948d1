"""What a reader of road networks may be told."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roadex.config.graph import GraphSettings
from roadex.files import read_json
from roadex.graph.frame import Gsd, pixel_size

log = logging.getLogger(__name__)

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

    # Metres per pixel of formats whose coordinates are pixels; None: as the file itself tells.
    gsd: Gsd | None = None
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
    # Attributes at whose change a road of bare lines ends; else it runs to the next junction.
    keep_apart: tuple[str, ...] = ()
    # Whether pieces of bare lines get the time that they take before they are joined to roads.
    timed: bool = False
    # The way from a mask to a graph.
    graph: GraphSettings = field(default_factory=GraphSettings)

    def pixel_size(self, path: Path, told: Gsd | None = None) -> tuple[float, float]:
        """Metres per pixel along x and y: those that were set, else those that the file told.

        What `roadex.predict` wrote beside a file of its own, NAME.summary.json, counts as told.
        Where nothing tells, a pixel is taken for a metre, and that is said.
        """
        gsd = self.gsd if self.gsd is not None else told or _recorded(path)
        if gsd is None:
            log.warning("%s: its pixels are taken to be 1 m, as nothing tells (set gsd=)", path)
            gsd = 1.0
        return pixel_size(gsd)


def _recorded(path: Path) -> float | None:
    record = read_json(path.with_name(f"{path.stem}.summary.json")) or {}
    gsd = record.get("image_gsd_m")
    return float(gsd) if isinstance(gsd, (int, float)) and gsd > 0 else None
