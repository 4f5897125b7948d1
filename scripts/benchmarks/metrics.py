"""Graph metrics: our times against the references' published ones and against networkx.

The Python reference of APLS cannot be installed any more (it needs Python 3.6), so its times are
those published with its cases, taken elsewhere; a yardstick measured in this run (networkx's
own all-pairs) brings both to one scale. A plain networkx APLS of the same pair is timed beside
ours where it is affordable, as a ratio that needs no scale. All seconds are CPU seconds.
"""

from __future__ import annotations

import csv
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from roadex.benchmarks._settings import parse_settings
from roadex.config.metrics import PRESETS
from roadex.errors import RoadexError
from roadex.files import atomic_write
from roadex.graph.network import straight_network
from roadex.metrics import MetricSettings, TopoSettings, apls, score_pair, topo
from roadex.metrics.apls.cosmiq import control_points
from roadex.metrics.apls.snapping import snap_points
from roadex.metrics.distances import Places
from roadex.metrics.ratios import harmonic_mean
from roadex.metrics.roads import Roads, as_roads

# Seconds of the Python reference by number of junctions, on one core of another machine; the
# smallest is a real tile of 400 m with 100 and 70 control points.
REFERENCE_SECONDS = {25: 0.18, 100: 3.2, 400: 58.0, 1600: 800.0}
# networkx's all pairs there: twenty times scipy's 0.18 s at 1558 vertices.
REFERENCE_YARDSTICK = 20 * 0.18
YARDSTICK_VERTICES = 1558
CITY_APLS, CITY_TOPO = 275.0, 180.0
PLAIN = "plain networkx, this run"
SETTINGS = PRESETS["cosmiq"]
Name = tuple[Any, ...]
PLAIN_LIMIT = 450


@dataclass(frozen=True)
class Row:
    """One measurement: ours, the other side's, and how many times faster ours is."""

    what: str
    size: str
    ours_s: float
    other: str
    other_s: float
    ratio: float


@dataclass
class Settings:
    """The benchmark's settings."""

    # A folder that keeps the table, as metrics.csv.
    out: str | None = None


def main(overrides: list[str]) -> None:
    """Measure, print a table, and with out=DIR keep it as metrics.csv."""
    settings = parse_settings(Settings, overrides)
    factor = yardstick()
    print(f"{platform.machine()}, Python {platform.python_version()}")
    seconds = factor * REFERENCE_YARDSTICK
    print(f"networkx all pairs of {YARDSTICK_VERTICES} vertices: {seconds:.2f} s")
    print(f"published seconds below are multiplied by {factor:.2f}")
    rows: list[Row] = []
    for row in measurements(factor):
        rows.append(row)
        print(
            f"{row.what:<26}{row.size:<30}{row.ours_s:>9.3f} s  "
            f"{row.other:<34}{row.other_s:>10.2f} s{row.ratio:>8.0f} x",
            flush=True,
        )
    if settings.out is not None:
        _write(rows, Path(settings.out) / "metrics.csv")


def measurements(factor: float) -> Iterable[Row]:
    """All rows, cheap ones first."""
    for junctions in REFERENCE_SECONDS:
        truth, proposal = jittered_grid(round(junctions**0.5))
        repeats = 3 if junctions < 1600 else 1
        seconds, score = _timed(partial(apls, truth, proposal), repeats)
        assert score.forward and score.backward
        size = f"{junctions} junctions, {score.forward.control_points} points"
        other = REFERENCE_SECONDS[junctions] * factor
        yield Row("APLS cosmiq", size, seconds, "Python reference, scaled", other, other / seconds)
        if junctions <= PLAIN_LIMIT:
            plain, value = _timed(partial(plain_apls, truth, proposal), 1)
            if abs(value - score.value) > 1e-9:
                raise RoadexError(f"networkx says {value}, we say {score.value}")
            yield Row("APLS cosmiq", size, seconds, PLAIN, plain, plain / seconds)
    yield from _city_rows(factor)


def _city_rows(factor: float) -> Iterable[Row]:
    # As dense as real tiles: a vertex every 20 m is a node.
    truth, proposal = (with_nodes(graph, 4) for graph in jittered_grid(20, spacing=102.0))
    size = f"{truth.number_of_nodes()} nodes, 2 km"
    large = TopoSettings(radius=333.333)
    sat2graph = PRESETS["sat2graph"]
    seconds, _ = _timed(partial(apls, truth, proposal, sat2graph), 1)
    other = CITY_APLS * factor
    yield Row("APLS sat2graph", size, seconds, "Go program, CPU s, scaled", other, other / seconds)
    seconds, _ = _timed(partial(topo, truth, proposal, large), 1)
    other = CITY_TOPO * factor
    yield Row("TOPO", size, seconds, "Python 2 program, scaled", other, other / seconds)
    settings = MetricSettings(topo=large)
    seconds, _ = _timed(partial(score_pair, truth, proposal, settings), 1)
    yield Row("all eight metrics", size, seconds, "one minute", 60.0, 60.0 / seconds)


def with_nodes(graph: nx.MultiGraph, cuts: int) -> nx.MultiGraph:
    """The same straight roads, each with `cuts` nodes on its way."""
    positions: dict[Any, Any] = {node: (d["x"], d["y"]) for node, d in graph.nodes(data=True)}
    edges: list[tuple[Any, Any]] = []
    for number, (u, v) in enumerate(graph.edges()):
        begin, end = np.array(positions[u]), np.array(positions[v])
        names = [(number, cut) for cut in range(cuts)]
        for cut, name in enumerate(names, start=1):
            positions[name] = tuple((begin + cut / (cuts + 1) * (end - begin)).tolist())
        edges += pairwise([u, *names, v])
    return straight_network(positions, edges)


def yardstick() -> float:
    """How many times slower this machine is now than the one of the published figures."""
    truth, _ = jittered_grid(20)
    roads = as_roads(truth)
    points = control_points(roads, SETTINGS.delta, SETTINGS.curved_eps)
    graph = cut_graph(roads, points.places)
    seconds, _ = _timed(partial(_all_pairs, graph), 1)
    # All pairs grow with the square of the vertices.
    return seconds / REFERENCE_YARDSTICK * (YARDSTICK_VERTICES / len(graph)) ** 2


def plain_apls(truth: nx.MultiGraph, proposal: nx.MultiGraph) -> float:
    """APLS as a plain program computes it: all shortest paths by networkx, pair by pair.

    The snapping is ours, so this measures only what follows it.
    """
    real, drawn = as_roads(truth), as_roads(proposal)
    return harmonic_mean(_plain_way(real, drawn), _plain_way(drawn, real))


def _plain_way(roads: Roads, other: Roads) -> float:
    points = control_points(roads, SETTINGS.delta, SETTINGS.curved_eps)
    snapped = snap_points(points.positions, other, SETTINGS.snap, SETTINGS.renaming)
    found = np.flatnonzero(snapped.found)
    own = _all_pairs(cut_graph(roads, points.places))
    there = _all_pairs(cut_graph(other, snapped.places.take(found)))
    names = _names(roads, points.places)
    elsewhere = dict(zip(found.tolist(), _names(other, snapped.places.take(found)), strict=True))
    by_name = {name: number for number, name in enumerate(names)}
    costs: list[float] = []
    for source, name in enumerate(names):
        reached = there.get(elsewhere.get(source), {})
        for target_name, length in own[name].items():
            target = by_name[target_name]
            if target == source or (source in elsewhere and length < SETTINGS.route_minimum):
                continue
            way = reached.get(elsewhere.get(target, "missing"))
            costs.append(1.0 if way is None else min(1.0, abs(length - way) / length))
    return 1 - sum(costs) / len(costs) if costs else 0.0


def cut_graph(roads: Roads, places: Places) -> nx.Graph:
    """A network cut at places on it; the places are named as `_names` does."""
    graph = nx.Graph()
    cuts: dict[int, list[tuple[float, Name]]] = {}
    for name, edge, offset in zip(
        _names(roads, places), places.edge.tolist(), places.offset.tolist(), strict=True
    ):
        graph.add_node(name)
        if name[0] == "cut":
            cuts.setdefault(edge, []).append((offset, name))
    for edge, ((u, v), length) in enumerate(
        zip(roads.ends.tolist(), roads.lengths.tolist(), strict=True)
    ):
        stops = [(0.0, ("node", u)), *sorted(cuts.get(edge, [])), (length, ("node", v))]
        for (low, begin), (high, end) in pairwise(stops):
            graph.add_edge(begin, end, weight=high - low)
    return graph


def _names(roads: Roads, places: Places) -> list[Name]:
    columns = zip(places.node.tolist(), places.edge.tolist(), places.offset.tolist(), strict=True)
    return [("node", node) if node >= 0 else ("cut", edge, at) for node, edge, at in columns]


def _all_pairs(graph: nx.Graph) -> dict[Any, dict[Any, float]]:
    return dict(nx.all_pairs_dijkstra_path_length(graph))


def _timed(action: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """The shortest of some runs in CPU seconds, and the result.

    All programs here run in one thread; CPU time does not count what else the machine does.
    """
    best = float("inf")
    for _ in range(repeats):
        begin = time.process_time()
        result = action()
        best = min(best, time.process_time() - begin)
    return best, result


def _write(rows: list[Row], path: Path) -> None:
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Row)])
        for row in rows:
            writer.writerow(f"{v:.4g}" if isinstance(v, float) else v for v in astuple(row))


def jittered_grid(
    side: int, spacing: float = 110.0, shift: float = 1.5, seed: int = 0
) -> tuple[nx.MultiGraph, nx.MultiGraph]:
    """A town of side x side junctions, and a proposal moved a little that lacks 12 % of roads."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    truth_at = places * spacing + rng.uniform(-spacing / 9, spacing / 9, places.shape)
    drawn_at = truth_at + rng.normal(0, shift, places.shape)
    across = [(n, n + 1) for n in range(side * side) if (n + 1) % side]
    edges = across + [(n, n + side) for n in range(side * (side - 1))]
    real = [edge for edge in edges if rng.random() > 0.05]
    drawn = [edge for edge in real if rng.random() > 0.12]
    return (
        straight_network([tuple(p) for p in truth_at.tolist()], real),
        straight_network([tuple(p) for p in drawn_at.tolist()], drawn),
    )
