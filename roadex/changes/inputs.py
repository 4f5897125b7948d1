"""A map and roads seen in imagery, from files, in one system in metres."""

from __future__ import annotations

import logging
from pathlib import Path

import networkx as nx

from roadex.errors import RoadexError
from roadex.files import user_path
from roadex.graph.attributes import TAGS, unclear_tags, without_paths
from roadex.graph.formats import read_network
from roadex.metrics.pairing import tell_left_out

log = logging.getLogger(__name__)
# The number of different tags in one message.
_NAMED = 8


def read_pair(old: str, new: str, gsd: float | None) -> tuple[nx.MultiGraph, nx.MultiGraph]:
    """The map and the roads in the system of the roads; what was left out is reported.

    Roads end where a tag changes, so that each has one class.

    Raises:
        RoadexError: a file is missing, cannot be read or has no road, or only one of them has
            a coordinate system.
    """
    seen = _read("roads", user_path(new), gsd, None)
    crs = seen.graph.get("crs")
    known = _read("map", user_path(old), gsd, crs)
    frames = [network.graph.get("crs") for network in (known, seen)]
    if frames[0] != frames[1]:
        where = [str(frame or "no coordinate system") for frame in frames]
        raise RoadexError(
            f"map={old} is in {where[0]}, roads={new} in {where[1]}: assign the system that is "
            "missing, or convert one"
        )
    return known, seen


def _read(key: str, path: Path, gsd: float | None, crs: str | None) -> nx.MultiGraph:
    if not path.is_file():
        raise RoadexError(f"{key}={path}: no such file")
    network = without_paths(read_network(path, gsd, crs=crs, keep_apart=TAGS))
    tell_left_out(path, network)
    _tell_unclear(path, network)
    if not network.number_of_edges():
        raise RoadexError(f"{key}={path} holds no road: is it the right file or layer?")
    return network


def _tell_unclear(path: Path, network: nx.MultiGraph) -> None:
    """Report tags that are not understood; their roads are compared without them."""
    counts = unclear_tags(network)
    if counts:
        parts = [f"{count} x {tag}" for tag, count in counts.most_common(_NAMED)]
        rest = f" and {len(counts) - _NAMED} others" if len(counts) > _NAMED else ""
        log.warning("%s: not understood %s%s", path, ", ".join(parts), rest)
