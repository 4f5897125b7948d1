"""Truths and proposals on disk: which belong together, and how both are read."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import networkx as nx
import numpy as np

from roadex.errors import RoadexError
from roadex.graph.attributes import has_no_speed, table_speed, unclear_tags
from roadex.graph.formats import READ_SUFFIXES, ReadOptions
from roadex.graph.formats import read_networks as read_images
from roadex.graph.network import empty_network, position
from roadex.metrics.summary import Job

log = logging.getLogger(__name__)
# The number of different tags in one message.
_NAMED = 8
_ELSEWHERE_M = 10_000.0
_HARMLESS = ("repeated point", "piece drawn twice", "edge drawn twice")
# A network on disk, or one of several that a file holds.
Source: TypeAlias = "Path | nx.MultiGraph"


@dataclass(frozen=True)
class Pairs:
    """The pairs to score, and what has no partner.

    Attributes:
        jobs: one for each truth; a truth without a proposal is scored against an empty one.
        without_proposal: names of truths that have no proposal.
        without_truth: names of proposals that have no truth, which cannot be scored.
    """

    jobs: list[Job]
    without_proposal: list[str]
    without_truth: list[str]


def find_pairs(truth: Path, proposal: Path, options: ReadOptions) -> Pairs:
    """Pair two files, or the files of two folders (or images of two CSV files) by name.

    Args:
        truth: a file or a folder.
        proposal: a file or a folder.
        options: how both are read.

    Raises:
        RoadexError: a path is missing, or nothing can be paired.
    """
    truths, proposals = _sources(truth, options), _sources(proposal, options)
    if len(truths) == len(proposals) == 1 and truth.is_file() and proposal.is_file():
        truths = dict(zip(proposals, truths.values(), strict=True))
    common = truths.keys() & proposals.keys()
    if not common:
        raise RoadexError(f"{proposal}: no name in common with {truth}; pairs have the same stem")
    jobs = [
        Job(name, partial(load_pair, source, proposals.get(name), options))
        for name, source in truths.items()
    ]
    return Pairs(jobs, sorted(truths.keys() - common), sorted(proposals.keys() - common))


def load_pair(
    truth: Source, proposal: Source | None, options: ReadOptions
) -> tuple[nx.MultiGraph, nx.MultiGraph]:
    """Read both networks into one frame, that of the truth; no proposal is an empty one.

    Raises:
        RoadexError: a file cannot be read, or one is in pixels and the other on the globe.
    """
    real = _read(truth, options)
    if proposal is None:
        return real, empty_network(real.graph.get("crs"))
    drawn = _read(proposal, replace(options, crs=real.graph.get("crs")))
    frames = [graph.graph.get("crs") for graph in (real, drawn)]
    if frames[0] != frames[1] and real.number_of_edges() and drawn.number_of_edges():
        names = [str(frame or "the image frame") for frame in frames]
        raise RoadexError(f"{proposal} is in {names[1]}, the truth in {names[0]}: convert one")
    away = _gap_m(real, drawn)
    if away > _ELSEWHERE_M:
        log.warning(
            "%s lies %.0f km from the truth: another place, or are the axes swapped?",
            proposal, away / 1000,
        )  # fmt: skip
    return real, drawn


def _gap_m(first: nx.MultiGraph, second: nx.MultiGraph) -> float:
    """Metres between the boxes around two networks; 0 where one is empty."""
    if not first or not second:
        return 0.0
    places = [np.array([position(g, node) for node in g]) for g in (first, second)]
    low, high = (np.array([getattr(p, end)(axis=0) for p in places]) for end in ("min", "max"))
    return float(np.hypot(*(low.max(axis=0) - high.min(axis=0)).clip(0)))


def _read(source: Source, options: ReadOptions) -> nx.MultiGraph:
    if isinstance(source, Path):
        (network,) = read_images(source, options).values()
        tell_left_out(source, network)
        if options.timed:
            _tell_unknown_speeds(source, network)
            tell_unclear(source, network)
        return network
    return source


def _tell_unknown_speeds(path: Path, network: nx.MultiGraph) -> None:
    """Count the roads that get the lowest speed since nothing is known about them."""
    unknown = sum(has_no_speed(data) for *_, data in network.edges(data=True))
    if unknown:
        log.warning(
            "%s: %d of %d roads have neither speed nor class: %.0f km/h",
            path, unknown, network.number_of_edges(), table_speed(None),
        )  # fmt: skip


def tell_left_out(path: Path, network: nx.MultiGraph) -> None:
    """Report what could not be a road, except points repeated in a row."""
    dropped = network.graph.get("dropped", {})
    parts = [f"{count} x {what}" for what, count in dropped.items() if what not in _HARMLESS]
    if parts:
        rest = "" if network.number_of_edges() else "; no road is left"
        log.warning("%s: left out %s%s", path, ", ".join(parts), rest)


def tell_unclear(path: Path, network: nx.MultiGraph) -> None:
    """Report tags that are not understood; their roads are used without them."""
    counts = unclear_tags(network)
    if counts:
        parts = [f"{count} x {tag}" for tag, count in counts.most_common(_NAMED)]
        rest = f" and {len(counts) - _NAMED} others" if len(counts) > _NAMED else ""
        log.warning("%s: not understood %s%s", path, ", ".join(parts), rest)


def _sources(path: Path, options: ReadOptions) -> dict[str, Source]:
    """The networks at a path, by name."""
    if path.is_dir():
        return dict(_files(path))
    if not path.is_file():
        raise RoadexError(f"{path}: no such file or folder")
    if path.suffix.lower() == ".csv":
        return dict(read_images(path, options))
    return {path.stem: path}


def _files(folder: Path) -> dict[str, Path]:
    """The networks of a folder by stem."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in READ_SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            names = f"{found[path.stem].name} and {path.name}"
            raise RoadexError(f"{folder}: {names} have the same name; keep one of them")
        found[path.stem] = path
    if not found:
        raise RoadexError(f"{folder}: no road networks; known are {', '.join(READ_SUFFIXES)}")
    return found
