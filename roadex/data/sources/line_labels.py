"""Labels drawn from lines: a file for each image, or one map for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from roadex.config.dataset import RoadWidthConfig
from roadex.data.labels import clip_to_tile, half_width, road_surface
from roadex.data.sources.files import Entry
from roadex.errors import RoadexError
from roadex.geo.grid import Georeference
from roadex.graph.attributes import (
    TAGS,
    highway_of,
    is_tunnel,
    lanes_of,
    width_of,
    without_paths,
)
from roadex.graph.formats import read_network
from roadex.graph.network import (
    Step,
    add_road,
    empty_network,
    merge_degree_two,
    oriented,
    total_length,
)
from roadex.graph.raster import draw_roads

_OVERHANG_M = 10.0  # less road outside the image is not reported
_MARGIN_M = 30.0  # roads beside an image reach into it by half their width
_COVERED = 0.95  # nothing is reported if more of an image lies within the outermost roads
_HARMLESS = ("repeated point",)


@dataclass(frozen=True)
class Frame:
    """The square pixels of a tile: where its raster lies, and how it is resampled.

    Attributes:
        grid: of the raster as it is on disk.
        shape: rows and columns of the tile.
        gsd: metres per pixel of the tile.
    """

    grid: Georeference
    shape: tuple[int, int]
    gsd: float

    @property
    def scale(self) -> tuple[float, float]:
        """Metres per pixel of the raster along x and y."""
        rows, columns = self.grid.shape
        return self.gsd * self.shape[1] / columns, self.gsd * self.shape[0] / rows

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the tile in metres."""
        return self.shape[1] * self.gsd, self.shape[0] * self.gsd

    def outline(self, crs: str) -> shapely.Geometry:
        """The raster's outline in another system."""
        return shapely.Polygon(self.grid.outline(crs))


class Labels(NamedTuple):
    """The road surface (H, W), 1 where road, the network in the image frame, and messages.

    `tagged` gives its roads with their tags, as `Tile` has them.
    """

    mask: NDArray[np.uint8]
    graph: nx.MultiGraph
    notes: tuple[str, ...]
    tagged: Callable[[], nx.MultiGraph]


class LineLabels(Protocol):
    """Makes the labels of a tile from lines."""

    def draw(self, entry: Entry, frame: Frame) -> Labels:
        """The labels of a tile.

        Raises:
            RoadexError: the lines cannot be read, or do not lie where the image does.
        """

    def identity(self) -> dict[str, Any]:
        """The settings that labels depend on."""


@dataclass(frozen=True)
class OwnLines:
    """A file of lines for each image."""

    widths: RoadWidthConfig

    def draw(self, entry: Entry, frame: Frame) -> Labels:
        """See `LineLabels.draw`."""
        drawn = read_network(entry.label, one_way=False)
        placed = to_image_frame(drawn, frame.grid, frame.scale)
        inside = clip_to_tile(placed, frame.size)
        if placed.number_of_edges() and not inside.number_of_edges():
            raise RoadexError(
                f"{entry.label}: no line lies within {entry.image.name}; are the axes swapped, or "
                "does it lack the name of its coordinate system?"
            )
        mask = road_surface(inside, frame.shape, frame.gsd, self.widths)
        notes = _notes(entry, drawn, total_length(placed) - total_length(inside))
        return Labels(mask, inside, notes, partial(self._tagged, entry, frame))

    def _tagged(self, entry: Entry, frame: Frame) -> nx.MultiGraph:
        """The roads once more, split where their tags change, with the widths as drawn."""
        drawn = read_network(entry.label, keep_apart=TAGS, one_way=False)
        placed = to_image_frame(drawn, frame.grid, frame.scale)
        inside = clip_to_tile(placed, frame.size, keep_apart=TAGS)
        for *_, data in inside.edges(data=True):
            data["width_m"] = 2 * half_width(data, self.widths)
        return inside

    def identity(self) -> dict[str, Any]:
        """See `LineLabels.identity`."""
        return {"widths": asdict(self.widths)}


def _notes(entry: Entry, drawn: nx.MultiGraph, outside_m: float) -> tuple[str, ...]:
    dropped = {k: n for k, n in drawn.graph.get("dropped", {}).items() if k not in _HARMLESS}
    notes = [f"{entry.label.name}: left out {count} x {what}" for what, count in dropped.items()]
    if not drawn.number_of_edges():
        notes.append(f"{entry.label.name}: holds no road")
    if outside_m > _OVERHANG_M:
        notes.append(f"{entry.label.name}: left out {outside_m:.0f} m of road outside the image")
    return tuple(notes)


@dataclass(frozen=True)
class MapLines:
    """One file of roads for all images, such as an OpenStreetMap extract.

    A road is as wide as its `width` says, else its `lanes` times `lane_m`, else its class.
    """

    widths: RoadWidthConfig
    lane_m: float

    def draw(self, entry: Entry, frame: Frame) -> Labels:
        """See `LineLabels.draw`."""
        path = entry.label
        roads = _map_of(path, path.stat().st_mtime_ns)
        outline = frame.outline(roads.crs)
        here = outline.intersection(roads.extent)
        if here.is_empty:
            raise RoadexError(
                f"{path}: its roads do not reach {entry.image.name}: does it cover the image?"
            )
        near = roads.near(outline)
        for *_, data in near.edges(data=True):
            data["width_m"] = self._width(data)
        placed = to_image_frame(near, frame.grid, frame.scale)
        inside = clip_to_tile(placed, frame.size, keep_apart=("width_m",))
        mask = draw_roads(inside, frame.shape, frame.gsd, "width_m").astype(np.uint8)
        notes = list(roads.notes)
        if not inside.number_of_edges():
            notes.append(f"{path.name}: holds no road within the image")
        if here.area < _COVERED * outline.area:
            notes.append(
                f"{path.name}: its outermost roads leave {1 - here.area / outline.area:.0%} of the "
                "image out: does it cover all of it?"
            )
        tagged = partial(clip_to_tile, placed, frame.size, keep_apart=(*TAGS, "width_m"))
        return Labels(mask, merge_degree_two(inside), tuple(notes), tagged)

    def identity(self) -> dict[str, Any]:
        """See `LineLabels.identity`."""
        return {"widths": asdict(self.widths), "lane_m": self.lane_m}

    def _width(self, road: dict[str, Any]) -> float:
        """In metres."""
        lanes = lanes_of(road.get("lanes"))
        width = width_of(road) or (lanes * self.lane_m if lanes else None)
        return width or 2 * half_width({**road, "highway": highway_of(road)}, self.widths)


class _Map:
    """The roads of a file that images show: no tunnels, no ways without cars."""

    def __init__(self, path: Path) -> None:
        graph = without_paths(read_network(path, keep_apart=TAGS, one_way=False))
        if graph.graph.get("crs") is None:
            raise RoadexError(
                f"{path} names no coordinate system, so images cannot be located in it"
            )
        tunnels = [step for step in graph.edges(keys=True) if is_tunnel(graph.edges[step])]
        graph.remove_edges_from(tunnels)
        if not graph.number_of_edges():
            raise RoadexError(f"{path} holds no road: is it the right file or layer?")
        self._graph = graph
        self._steps: list[Step] = list(graph.edges(keys=True))
        lines = [shapely.LineString(oriented(graph, *step)) for step in self._steps]
        self._tree = shapely.STRtree(lines)
        self.crs = str(graph.graph["crs"])
        self.extent = shapely.box(*shapely.total_bounds(lines)).buffer(_MARGIN_M)
        dropped = Counter(graph.graph.get("dropped", {})) + Counter(tunnel=len(tunnels))
        parts = [f"{count} x {what}" for what, count in dropped.items() if what not in _HARMLESS]
        self.notes = [f"{path.name}: left out {', '.join(parts)} of the whole file"] * bool(parts)

    def near(self, outline: shapely.Geometry) -> nx.MultiGraph:
        """A copy of the roads that may reach into an outline."""
        found = self._tree.query(outline.buffer(_MARGIN_M), predicate="intersects")
        part = self._graph.edge_subgraph([self._steps[index] for index in sorted(found.tolist())])
        return part.copy()


@lru_cache(maxsize=2)
def _map_of(path: Path, changed_ns: int) -> _Map:
    """A file of roads, read once by a process."""
    return _Map(path)


def to_image_frame(
    graph: nx.MultiGraph, grid: Georeference, scale: tuple[float, float]
) -> nx.MultiGraph:
    """A network in a map's system as one in the image frame of a raster.

    Args:
        scale: metres per pixel along x and y. Lengths become planar in that frame.
    """
    placed = empty_network()
    steps = list(graph.edges(keys=True))
    if not steps:
        return placed
    lines = [oriented(graph, *step) for step in steps]
    points = grid.pixels(np.concatenate(lines), graph.graph["crs"]) * np.array(scale)
    cuts = np.cumsum([len(line) for line in lines])[:-1]
    for (u, v, key), line in zip(steps, np.split(points, cuts), strict=True):
        data = graph.edges[u, v, key]
        traits = {k: value for k, value in data.items() if k not in ("geometry", "length")}
        add_road(placed, u, v, line, **traits)
    return placed
