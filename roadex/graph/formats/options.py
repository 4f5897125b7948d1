"""Options of readers of road networks, and text files with errors that name the file."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from roadex.config.graph import GraphSettings
from roadex.errors import RoadexError
from roadex.files import read_json
from roadex.graph.frame import Gsd, pixel_size
from roadex.rasters.masks import MaskRules

log = logging.getLogger(__name__)

PLANAR = "planar"
HAVERSINE_MM = "haversine_mm"

# How the reference APLS program reads GeoJSON, for scores equal to its own.
COSMIQ_READER: dict[str, Any] = {
    "edge_length": HAVERSINE_MM,
    "min_component_m": 5.0,
    "doubled_vanish": True,
}


def mask_rules(above: float | None, values: Collection[int] | None) -> MaskRules:
    """What the settings `road_above` and `road_values` say of masks.

    Raises:
        RoadexError: they say two things.
    """
    if above is not None and values is not None:
        raise RoadexError("road_above and road_values: give one of them, not both")
    keys = ("road_above", "road_values")
    return MaskRules(above, None if values is None else tuple(values), keys)


@dataclass(frozen=True)
class ReadOptions:
    """Settings of the readers; each uses those that concern it."""

    # Metres per pixel of formats whose coordinates are pixels; None: from the file.
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
    # Whether pieces of bare lines get their travel time before they are joined to roads.
    timed: bool = False
    # Whether bare lines keep their `oneway`, at whose change roads end; scores know no directions.
    one_way: bool = True
    # What the values of masks mean.
    masks: MaskRules = field(default_factory=lambda: mask_rules(None, None))
    # The way from a mask to a graph.
    graph: GraphSettings = field(default_factory=GraphSettings)

    def pixel_size(self, path: Path, from_file: Gsd | None = None) -> tuple[float, float]:
        """Metres per pixel along x and y: as set, else from the file.

        That includes NAME.summary.json, which `roadex.predict` writes beside its files. If the size
        is unknown, a pixel is taken as a metre, with a warning.
        """
        gsd = self.gsd if self.gsd is not None else from_file or _recorded(path)
        if gsd is None:
            log.warning(
                "%s: its pixels are taken to be 1 m, since the file does not say (set gsd=)", path
            )
            gsd = 1.0
        return pixel_size(gsd)


def _recorded(path: Path) -> float | None:
    record = read_json(path.with_name(f"{path.stem}.summary.json")) or {}
    gsd = record.get("image_gsd_m")
    return float(gsd) if isinstance(gsd, (int, float)) and gsd > 0 else None


def read_text(path: Path) -> str:
    """The content of a UTF-8 file.

    Raises:
        RoadexError: the file cannot be read, is empty, or is not text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RoadexError(f"{path} cannot be read ({error.strerror}): check the path") from error
    except UnicodeDecodeError as error:
        raise RoadexError(f"{path} is not UTF-8 text: is its suffix right?") from error
    if not text.strip():
        raise RoadexError(f"{path} is empty: fetch or write it again")
    return text


def read_object(
    path: Path, otherwise: Callable[[str], dict[str, Any] | None] = lambda text: None
) -> dict[str, Any]:
    """The object in a JSON file.

    Args:
        otherwise: the object in a text that is no JSON; None or a ValueError if there is none.

    Raises:
        RoadexError: the file cannot be read or does not hold a JSON object.
    """
    text = read_text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        content = _or_else(text, otherwise)
        if content is None:
            raise RoadexError(f"{path} is not JSON ({error}): is it cut short?") from error
    if not isinstance(content, dict):
        raise RoadexError(f"{path} holds no JSON object: is it a road network?")
    return content


def _or_else(text: str, otherwise: Callable[[str], Any]) -> Any:
    try:
        return otherwise(text)
    except (ValueError, RecursionError):
        return None


def plain(value: Any) -> Any:
    """A JSON value: NumPy types become Python types, and values that are not finite None."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)
