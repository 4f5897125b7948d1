"""Class, lanes, surface and speed of roads, from the tags that files really have.

OpenStreetMap's tags ("30 mph", "50;30", lists, "None"), osmnx's columns and the fields of
SpaceNet's labels all become the same few attributes. Missing speeds are those of the
table that CosmiQ published with SpaceNet 3: miles per hour by class and lanes, less if unpaved.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

KPH_PER_MPH = 1.609344
_KPH_PER_KNOT = 1.852
_KPH_PER_MPS = 3.6
# Miles per hour with one or two lanes, and with three and more.
SPEED_TABLE_MPH: dict[str, tuple[float, float]] = {
    "motorway": (55, 65),
    "primary": (45, 55),
    "secondary": (35, 45),
    "tertiary": (30, 35),
    "residential": (25, 30),
    "unclassified": (20, 20),
    "track": (20, 20),
}
UNPAVED_FACTOR = 0.75
# SpaceNet numbers the classes of its labels.
SPACENET_CLASSES = dict(enumerate(SPEED_TABLE_MPH, start=1))
# OSM has more classes than the table: each is mapped to the most similar one.
LIKE = {"trunk": "motorway", "living_street": "residential", "cart track": "track"}
UNKNOWN_CLASS = "unclassified"
# Where `maxspeed` names a kind of place and no number ("RO:urban"), in km/h.
_ZONES = {
    "walk": 7.0,
    "living_street": 20.0,
    "urban": 50.0,
    "rural": 90.0,
    "trunk": 110.0,
    "motorway": 130.0,
    "nsl_restricted": 30 * KPH_PER_MPH,
    "nsl_single": 60 * KPH_PER_MPH,
    "nsl_dual": 70 * KPH_PER_MPH,
}
UNPAVED = frozenset([
    "unpaved", "compacted", "dirt", "earth", "fine_gravel", "grass", "gravel", "ground", "mud",
    "pebblestone", "rock", "salt", "sand", "snow", "ice", "woodchips",
])  # fmt: skip
# Ways with a `highway` tag on which no car drives.
NOT_ROADS = frozenset([
    "footway", "path", "steps", "cycleway", "bridleway", "pedestrian", "corridor", "elevator",
    "platform", "construction", "proposed", "abandoned", "razed", "planned", "raceway",
    "bus_guideway", "escape", "rest_area", "services", "via_ferrata", "street_lamp", "no",
])  # fmt: skip
_KNOWN_CLASSES = frozenset([*SPEED_TABLE_MPH, *LIKE, *NOT_ROADS, "service", "road", "busway"])
_M_PER_FOOT = 0.3048
_WIDEST_M = 200.0
# "7", "7.5 m", "24 ft", 24'6".
_WIDTH = re.compile(r"^(\d+(?:[.,]\d+)?)\s*(m|ft|feet|')?\s*(?:(\d+)\s*(?:\"|in))?$")
_MISSING = frozenset(["", "none", "nan", "null", "<na>", "unknown", "no data"])
_LONGEST_S = 1e7  # longer times are not travel times
_FASTEST_KPH = 500.0
_NUMBER = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*([a-z/]*)", re.IGNORECASE)
_UNITS = {"": 1.0, "kmh": 1.0, "km/h": 1.0, "kph": 1.0, "mph": KPH_PER_MPH, "knots": _KPH_PER_KNOT}
_SPEED_COLUMNS = {
    "speed_kph": 1.0,
    "inferred_speed_mps": _KPH_PER_MPS,
    "speed_m/s": _KPH_PER_MPS,
    "inferred_speed_mph": KPH_PER_MPH,
    "speed_mph": KPH_PER_MPH,
}
# SpaceNet, its speeds, Geofabrik's Shapefiles and Overture.
_CLASS_COLUMNS = ("highway", "road_type", "inferred_road_type", "fclass", "class")
# Those in which a number is one of SpaceNet's classes.
_NUMBERED = ("road_type", "inferred_road_type")
# Along its line, against it, or both.
_FORWARD, _BACKWARD, _BOTH = 1, -1, 0
_DIRECTIONS = {
    **dict.fromkeys(("yes", "true", "1", "1.0"), _FORWARD),
    **dict.fromkeys(("-1", "-1.0", "reverse"), _BACKWARD),
    # Reversible lanes change their direction in the course of a day.
    **dict.fromkeys(("no", "false", "0", "0.0", "reversible", "alternating"), _BOTH),
}
# Those of Geofabrik's Shapefiles, which are known by their column `fclass`.
_GEOFABRIK = {"f": _FORWARD, "t": _BACKWARD, "b": _BOTH}
# The tags at whose change a road is split: see `read_network(keep_apart=)`.
TAGS = (
    *_CLASS_COLUMNS, "lanes", "surface", "width", "maxspeed", "bridge", "tunnel", "layer", "paved",
    "lane_number", "lane_numbe", "bridge_type", "bridge_typ", *_SPEED_COLUMNS,
)  # fmt: skip


def texts_of(value: Any) -> list[str]:
    """The values of a tag, in order; lists, "a;b" and "['a', 'b']" are split."""
    if value is None:
        return []
    if isinstance(value, list | tuple | set):
        return [text for part in value for text in texts_of(part)]
    return list(_texts(value)) if isinstance(value, str) else list(_sound([str(value)]))


@lru_cache(maxsize=10_000)  # cities have few tags and many roads
def _texts(value: str) -> tuple[str, ...]:
    return _sound(re.split(r"[;|]|,(?=\s*['\"])", value.strip("[](){} ")))


def _sound(parts: Iterable[str]) -> tuple[str, ...]:
    texts = (part.strip(" '\"") for part in parts)
    return tuple(text for text in texts if text.lower() not in _MISSING)


def speed_of(value: Any) -> float | None:
    """The speed in km/h of a `maxspeed` tag, the mean of several; None if it has none."""
    speeds = [speed for text in texts_of(value) if (speed := _one_speed(text)) is not None]
    return sum(speeds) / len(speeds) if speeds else None


def _one_speed(text: str) -> float | None:
    found = _NUMBER.match(text)
    if found is None:
        return _ZONES.get(text.rpartition(":")[2].lower())
    factor = _UNITS.get(found[2].lower())
    speed = float(found[1].replace(",", ".")) * factor if factor else 0.0
    return speed if 0 < speed <= _FASTEST_KPH else None


def lanes_of(value: Any) -> int | None:
    """The number of lanes; the smallest of several."""
    numbers = [number for text in texts_of(value) if (number := _number(text)) is not None]
    sound = [int(number) for number in numbers if 1 <= number < 30]
    return min(sound) if sound else None


def highway_of(data: Mapping[str, Any]) -> str | None:
    """The class of a road in OSM's words, from `highway` or what others call it."""
    for name in _CLASS_COLUMNS:
        for text in texts_of(data.get(name)):
            number = _number(text)
            if number in SPACENET_CLASSES and name in _NUMBERED:
                return SPACENET_CLASSES[int(number)]
            if number is None:
                lower = text.lower()
                return "track" if lower == "cart track" else lower
    return None


def surface_of(data: Mapping[str, Any]) -> str | None:
    """The surface of a road in OSM's words, from `surface` or SpaceNet's `paved`."""
    for text in texts_of(data.get("surface")):
        return text.lower()
    paved = {"1": "paved", "2": "unpaved", "true": "paved", "false": "unpaved"}
    return next((paved.get(text.lower()) for text in texts_of(data.get("paved"))), None)


def width_of(data: Mapping[str, Any]) -> float | None:
    """Metres from `width_m`, or OSM's `width`, which is in metres unless it has a unit."""
    for name in ("width_m", "width"):
        value = data.get(name)
        whole = [value.strip()] if isinstance(value, str) else []  # 24' is not a quoted 24
        for text in [*whole, *texts_of(value)]:
            if (width := _one_width(text)) is not None:
                return width
    return None


def _one_width(text: str) -> float | None:
    found = _WIDTH.match(text)
    if found is None:
        return None
    width = float(found[1].replace(",", "."))
    if found[2] and found[2] != "m":
        width = (width + float(found[3] or 0) / 12) * _M_PER_FOOT
    return width if 0 < width < _WIDEST_M else None


def is_known_class(highway: str) -> bool:
    """Whether a class is one of OSM's for ways, links included."""
    return highway.removesuffix("_link") in _KNOWN_CLASSES


def unclear_tags(graph: nx.MultiGraph) -> Counter[str]:
    """How often roads have a class, speed, lanes or width that no rule here understands."""
    counts: Counter[str] = Counter()
    for *_, data in graph.edges(data=True):
        highway = highway_of(data)
        known = {
            "highway": highway is None or is_known_class(highway),
            "maxspeed": speed_of(data.get("maxspeed")) is not None,
            "lanes": lanes_of(data.get("lanes")) is not None,
            "width": width_of(data) is not None,
        }
        for name, is_clear in known.items():
            if not is_clear and (texts := texts_of(data.get(name))):
                counts[f"{name}={';'.join(texts)}"] += 1
    return counts


def without_paths(graph: nx.MultiGraph) -> nx.MultiGraph:
    """A copy without ways on which no car drives, which are counted in `graph["dropped"]`."""
    copy = graph.copy()
    classes = {step: highway_of(copy.edges[step]) for step in copy.edges(keys=True)}
    left_out = {step: kind for step, kind in classes.items() if kind in NOT_ROADS}
    copy.remove_edges_from(left_out)
    copy.remove_nodes_from([node for node in list(copy) if not copy.degree(node)])
    counts = Counter(f"way with highway={kind}" for kind in left_out.values())
    copy.graph["dropped"] = dict(Counter(graph.graph.get("dropped", {})) + counts)
    return copy


def direction_of(data: Mapping[str, Any]) -> int | None:
    """Where the `oneway` tag of a road leads: 1 along its line, -1 against it, 0 both ways.

    A road without the tag leads both ways; None if the tag is not understood.
    """
    codes = _GEOFABRIK if "fclass" in data else {}
    texts = [text.lower() for text in texts_of(data.get("oneway"))]
    found = {codes.get(text, _DIRECTIONS.get(text)) for text in texts}
    return found.pop() if len(found) == 1 else None if found else _BOTH


def directed(
    line: NDArray[np.float64], data: Mapping[str, Any], dropped: Counter[str]
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """A line (n, 2) as its traffic runs, and its attributes with `oneway` as true or false.

    A tag that is not understood is left out and counted in `dropped`: the road leads both ways.
    """
    attributes = dict(data)
    if "oneway" not in attributes:
        return line, attributes
    tag = attributes.pop("oneway")
    direction = direction_of(data)
    if direction is None:
        dropped[f"oneway={';'.join(texts_of(tag))}, taken for a road of both directions"] += 1
        return line, attributes
    if texts_of(tag):
        attributes["oneway"] = direction != _BOTH
    return (line[::-1] if direction == _BACKWARD else line), attributes


def is_tunnel(data: Mapping[str, Any]) -> bool:
    """Whether a road runs below the ground, where no image shows it."""
    return any(text.lower() not in ("no", "0", "false") for text in texts_of(data.get("tunnel")))


def table_speed(highway: str | None, lanes: int | None = None, surface: str | None = None) -> float:
    """Km/h by the published table; an unknown class is "unclassified", unknown lanes are few.

    Classes that the table lacks are mapped to similar ones: links to their road, service roads
    and all others to "unclassified".
    """
    known = (highway or UNKNOWN_CLASS).removesuffix("_link")
    few, many = SPEED_TABLE_MPH.get(LIKE.get(known, known), SPEED_TABLE_MPH[UNKNOWN_CLASS])
    unpaved = (surface or "").split(":")[0] in UNPAVED
    return (many if (lanes or 1) >= 3 else few) * KPH_PER_MPH * (UNPAVED_FACTOR if unpaved else 1.0)


def road_attributes(data: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a road: `speed_kph` always; `highway`, `lanes`, `surface` where known.

    The speed comes from a measured `travel_time_s`, else from columns of speeds, `maxspeed`, or the
    table.
    """
    highway, surface, lanes = highway_of(data), surface_of(data), known_lanes(data)
    known = {"highway": highway, "lanes": lanes, "surface": surface}
    speed = known_speed(data)
    if speed is None:
        speed = table_speed(highway, lanes, surface)
    return {name: value for name, value in known.items() if value is not None} | {
        "speed_kph": speed
    }


def known_lanes(data: Mapping[str, Any]) -> int | None:
    """The number of lanes from `lanes` or SpaceNet's fields."""
    names = ("lanes", "lane_number", "lane_numbe")
    return next((lanes for name in names if (lanes := lanes_of(data.get(name)))), None)


def known_speed(data: Mapping[str, Any]) -> float | None:
    """The speed in km/h from a road's attributes; None if only the table has one."""
    seconds, length = _positive(data.get("travel_time_s")), float(data.get("length", 0.0))
    if seconds is not None and seconds < _LONGEST_S and length > 0:
        return length / seconds * _KPH_PER_MPS
    for name, factor in _SPEED_COLUMNS.items():
        value = _positive(data.get(name))
        if value is not None:
            return value * factor
    return speed_of(data.get("maxspeed"))


def described(graph: nx.MultiGraph) -> nx.MultiGraph:
    """A copy whose roads have `speed_kph` and `travel_time_s`, and `highway`, `lanes`, `surface`.

    The latter three only if the file has them. Other attributes stay; values of these five that
    could not be understood are removed.
    """
    copy = graph.copy()
    for *_, data in copy.edges(data=True):
        known = road_attributes(data)
        for name in ("highway", "lanes", "surface"):
            data.pop(name, None)
        data.update(known)
        data["travel_time_s"] = _seconds(data, known["speed_kph"])
    return copy


def add_times(graph: nx.MultiGraph) -> None:
    """Give every road with a speed or a class its `travel_time_s`, in place."""
    for *_, data in graph.edges(data=True):
        if not has_no_speed(data):
            data["travel_time_s"] = _seconds(data, road_attributes(data)["speed_kph"])


def has_no_speed(data: Mapping[str, Any]) -> bool:
    """Whether a road has neither speed nor class, so that its speed is the table's lowest."""
    return known_speed(data) is None and highway_of(data) is None


def _seconds(data: Mapping[str, Any], speed_kph: float) -> float:
    return float(data["length"]) / speed_kph * _KPH_PER_MPS


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _positive(value: Any) -> float | None:
    texts = texts_of(value)
    number = _number(texts[0]) if texts else None
    return number if number is not None and number > 0 else None
