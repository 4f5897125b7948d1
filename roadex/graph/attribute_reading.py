"""The attributes of drawn roads, read along their lines from a model's maps.

A road's attribute is the likeliest by the mean of the probabilities along its line, weighted by the
probability of road, so that places where the road is hidden count little; its confidence is that
mean. The speed is the middle of the likeliest bin, or where the model does not learn it, that of
the published table. The mean of the bins' middles would be a speed that no road has wherever two
bins are likely, and is wrong more often (experiments/attributes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.graph.attribute_labels import (
    BIN_KPH,
    CHANNELS,
    CLASSES,
    SURFACES,
    spans,
)
from roadex.graph.attributes import table_speed
from roadex.graph.probability_maps import to_probability
from roadex.graph.road_table import RoadTable, table_of
from roadex.graph.skeleton import Floats, Ints

_SAMPLES_AT_ONCE = 1 << 18
_BLOCK_PX = 1024
_MPS_PER_KPH = 1 / 3.6
Columns = dict[str, Floats]
# The columns whose numbers mean words.
WORDS: dict[str, tuple[str, ...]] = {"highway": CLASSES, "surface": SURFACES}


@dataclass(frozen=True)
class AttributeMaps:
    """A model's probabilities of the attributes of roads on an image.

    Attributes:
        planes: gives the probabilities (C, h, w) in 1/256, of every `step`-th pixel.
        road: gives the probability of road (H, W) in 1/256.
        pixel: metres per pixel along x and y.
    """

    planes: Callable[[], NDArray[np.uint8]]
    road: Callable[[], NDArray[np.uint8]]
    pixel: tuple[float, float]
    step: int = 1

    def at(self, points: Floats) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The probabilities (n, C) and those of road (n) at points (n, 2) in metres.

        The maps may be mapped files: they are opened for these points alone.
        """
        road, planes = self.road(), self.planes()
        places = np.floor(points / self.pixel).astype(np.int64)
        columns, rows = (places[:, axis].clip(0, road.shape[1 - axis] - 1) for axis in (0, 1))
        right, below = (
            np.minimum(each // self.step, side - 1)
            for each, side in ((columns, planes.shape[2]), (rows, planes.shape[1]))
        )
        found = to_probability(planes[:, below, right]).T
        return found, to_probability(road[rows, columns])


def read_attributes(roads: RoadTable, maps: AttributeMaps, names: Sequence[str]) -> Columns:
    """The columns that a model's attributes give roads (m) in the frame of the image.

    `highway` and `surface` are numbers of `WORDS`; `travel_time_s` is as certain as the speed.

    Args:
        names: of the attributes that it learns.
    """
    columns: Columns = {}
    for part in _parts(roads, maps.pixel):
        means = attribute_means([roads.line(road) for road in part.tolist()], maps)
        for name, values in columns_of(means, names).items():
            columns.setdefault(name, np.full(len(roads), np.nan))[part] = values
    if not columns:  # no road
        columns = columns_of(np.zeros((0, CHANNELS), np.float32), names)
    if "speed_kph" in columns:
        columns["travel_time_s"] = roads.lengths / (columns["speed_kph"] * _MPS_PER_KPH)
    return columns


def with_attributes(
    roads: nx.MultiGraph | RoadTable, maps: AttributeMaps, names: Sequence[str]
) -> nx.MultiGraph | RoadTable:
    """The roads with the columns of `read_attributes`; a graph is changed in place."""
    table = roads if isinstance(roads, RoadTable) else table_of(roads)
    columns = read_attributes(table, maps, names)
    if isinstance(roads, RoadTable):
        values = np.column_stack([roads.values, *columns.values()])
        words = {name: WORDS[name] for name in columns.keys() & WORDS.keys()}
        attributes = (*roads.attributes, *columns)
        return replace(roads, values=values, attributes=attributes, words=words)
    for i, (*_, data) in enumerate(roads.edges(data=True)):
        data.update({name: worded(name, values[i]) for name, values in columns.items()})
    return roads


def worded(name: str, value: float) -> Any:
    """The value of a road's attribute from that of a column."""
    if name in WORDS:
        return WORDS[name][int(value)]
    return int(value) if name == "lanes" else float(value)


def attribute_means(lines: Sequence[Floats], maps: AttributeMaps) -> NDArray[np.float32]:
    """The weighted means (m, C) of the probabilities along lines (n, 2) in metres.

    They are read about every pixel.
    """
    if not len(lines):
        return np.zeros((0, CHANNELS), np.float32)
    places, counts = _stops(lines, maps.pixel)
    values, weights = maps.at(places)
    starts = np.cumsum(counts) - counts
    sums = np.add.reduceat(values * weights[:, None], starts, axis=0)
    means: NDArray[np.float32] = sums / np.add.reduceat(weights, starts)[:, None]
    return means


def columns_of(means: NDArray[np.float32], names: Sequence[str]) -> Columns:
    """The columns of roads from their means (m, C), without the travel time."""
    columns: Columns = {}
    for name, column in (("class", "highway"), ("lanes", "lanes"), ("surface", "surface")):
        if name in names:
            share = means[:, spans()[name]]
            columns[column] = share.argmax(axis=1).astype(float)
            columns[f"{column}_confidence"] = share.max(axis=1, initial=0.0).astype(float)
    if "lanes" in columns:
        columns["lanes"] += 1
    if "speed" in names:
        share = means[:, spans()["speed"]]
        columns["speed_kph"] = BIN_KPH[share.argmax(axis=1)]
        columns["speed_confidence"] = share.max(axis=1, initial=0.0).astype(float)
    elif "class" in names:
        columns |= _from_table(columns)
    return columns


def _from_table(columns: Columns) -> Columns:
    """The speeds of the table, with the lowest confidence of the attributes they come from."""
    names = [name for name in ("highway", "lanes", "surface") if name in columns]
    speeds = [
        table_speed(**{name: worded(name, x) for name, x in zip(names, row, strict=True)})
        for row in zip(*(columns[name] for name in names), strict=True)
    ]
    confidence = np.min([columns[f"{name}_confidence"] for name in names], axis=0)
    return {"speed_kph": np.array(speeds, float), "speed_confidence": confidence}


def _stops(lines: Sequence[Floats], pixel: tuple[float, float]) -> tuple[Floats, Ints]:
    """Points (n, 2) in metres evenly along lines, about a pixel apart, and how many of each."""
    points = np.concatenate(lines)
    sizes = np.array([len(line) for line in lines])
    first = np.cumsum(sizes) - sizes
    steps = np.hypot(*(np.diff(points, axis=0) / pixel).T)
    steps[first[1:] - 1] = 1.0  # from the end of a line to the next
    walked = np.concatenate([[0.0], np.cumsum(steps)])
    starts, stops = walked[first], walked[first + sizes - 1]
    counts = np.ceil(stops - starts).astype(np.int64) + 1
    each = np.repeat(np.arange(len(lines)), counts)
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    share = place / np.maximum(counts[each] - 1, 1)
    at = starts[each] + share * (stops - starts)[each]
    found = [np.interp(at, walked, points[:, axis]) for axis in (0, 1)]
    return np.column_stack(found), counts


def _parts(roads: RoadTable, pixel: tuple[float, float]) -> Iterator[Ints]:
    """The numbers of roads in groups that lie near each other and need little memory."""
    if not len(roads):
        return
    begin = np.floor(roads.points[roads.offsets[:-1]] / pixel / _BLOCK_PX)
    order = np.lexsort((begin[:, 0], begin[:, 1]))
    samples = np.ceil(roads.lengths[order] / min(pixel)) + 2
    group = (np.cumsum(samples) // _SAMPLES_AT_ONCE).astype(np.int64)
    yield from np.split(order, np.flatnonzero(np.diff(group)) + 1)
