"""Overture's road segments: their nested columns as the tags that OpenStreetMap has."""

from __future__ import annotations

from collections import Counter
from typing import Any

from roadex.graph.attributes import NOT_ROADS

_ROAD = "road"
# Columns that identify Overture's segments.
_COLUMNS = ("subtype", "class", "connectors")


def is_overture(columns: Any) -> bool:
    """Whether a table has the columns of Overture's segments."""
    return set(_COLUMNS) <= set(columns)


def as_tags(table: Any) -> tuple[Any, Counter[str]]:
    """The roads of a table of segments with `highway` and other tags, and what was left out.

    Rules for a part of a segment are used if none holds for all of it, flags never.
    Ways without cars are left out, as in OpenStreetMap's own files.
    """
    roads = table[table["subtype"] == _ROAD]
    others = table["subtype"][table["subtype"] != _ROAD].fillna("unknown")
    left_out = Counter(f"segment of subtype {kind}" for kind in others)
    driven = ~roads["class"].isin(NOT_ROADS)
    left_out += Counter(f"way with highway={kind}" for kind in roads["class"][~driven])
    roads = roads[driven]
    tags = {
        "overture_id": _column(roads, "id"),
        "highway": [None if kind == "unknown" else kind for kind in roads["class"]],
        "name": [_part(names, "primary") for names in _column(roads, "names")],
        "surface": [_rule(rules) for rules in _column(roads, "road_surface")],
        "width": [_rule(rules) for rules in _column(roads, "width_rules")],
        "maxspeed": [_speed(rules) for rules in _column(roads, "speed_limits")],
        "tunnel": [_flag(rules, "is_tunnel") for rules in _column(roads, "road_flags")],
        "bridge": [_flag(rules, "is_bridge") for rules in _column(roads, "road_flags")],
    }
    return roads[["geometry"]].assign(**tags), left_out


def _column(table: Any, name: str) -> list[Any]:
    return list(table[name]) if name in table else [None] * len(table)


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _rules(value: Any) -> list[dict[str, Any]]:
    """The rules of a segment, those that hold on all of it first; arrays and lists hold them."""
    if value is None or isinstance(value, float | str):
        return []
    rules = [rule for rule in value if isinstance(rule, dict)]
    return sorted(rules, key=lambda rule: rule.get("between") is not None)


def _rule(value: Any) -> Any:
    return next((rule.get("value") for rule in _rules(value)), None)


def _speed(value: Any) -> str | None:
    for rule in _rules(value):
        limit = rule.get("max_speed")
        if isinstance(limit, dict) and limit.get("value"):
            return f"{limit['value']} {limit.get('unit') or 'km/h'}"
    return None


def _flag(value: Any, name: str) -> str | None:
    whole = (rule for rule in _rules(value) if rule.get("between") is None)
    values = (rule.get("values") for rule in whole)
    return "yes" if any(name in held for held in values if held is not None) else None
