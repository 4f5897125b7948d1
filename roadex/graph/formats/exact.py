"""What lets a file of ours give back the same network: node names, keys and attributes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from roadex.graph.formats.text import plain

_WORKING_ATTRIBUTES = ("x", "y", "geometry", "length")


def write_name(node: Hashable) -> Any:
    """A node's name as JSON holds it: tuples become lists, and what JSON lacks becomes text."""
    return [write_name(part) for part in node] if isinstance(node, tuple) else plain(node)


def read_name(name: Any) -> Hashable:
    """The inverse of `write_name`."""
    return tuple(read_name(part) for part in name) if isinstance(name, list) else name


def extras(data: dict[str, Any]) -> dict[str, Any]:
    """The attributes that ride along on a node or a road, as JSON holds them."""
    return {k: plain(v) for k, v in data.items() if k not in _WORKING_ATTRIBUTES}
