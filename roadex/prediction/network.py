"""The road network of an image, the result of `roadex.load(...).predict(...)`."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.graph.network import position
from roadex.graph.osm import to_osmnx
from roadex.graph.probability_maps import to_probability
from roadex.graph.road_table import RoadTable
from roadex.graph.routing import LENGTH, Route, shortest_route
from roadex.prediction.place import network_crs, placed
from roadex.prediction.store import Store
from roadex.prediction.view import View


@dataclass(frozen=True)
class RoadNetwork:
    """The road network found in an image.

    Attributes:
        found: the roads of `frame`, for a large image as a table.
        view: the image as the model saw it.
        store: the probabilities that the roads are drawn from.
        picture: the whole image, (h, w, 3) uint8, small enough to look at.
        threshold: road where the probability reaches it.
        summary: km of road, junctions, dead ends and so on.
        notes: what the user should know about how the image was read.
        failures: blocks that failed, and why; they have no roads.
    """

    found: nx.MultiGraph | RoadTable
    view: View
    store: Store
    picture: NDArray[np.uint8]
    threshold: float
    summary: dict[str, Any]
    notes: tuple[str, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)

    @cached_property
    def frame(self) -> nx.MultiGraph:
        """The roads in metres from the image's top left corner, x right and y down.

        Edges have `length` and `width_m` in metres, `mean_probability` from 0 to 1 and `geometry`
        (n, 2).
        """
        return self.found.graph() if isinstance(self.found, RoadTable) else self.found

    @cached_property
    def graph(self) -> nx.MultiGraph:
        """The roads in the image's system, or its UTM zone if that is in degrees.

        `graph.graph["crs"]` names it; without a georeference it is None and this is `frame`.
        """
        return placed(self.frame, self.view.scene.grid, self.view.pixel_m)

    @property
    def crs(self) -> str | None:
        """The coordinate system of `graph`."""
        grid = self.view.scene.grid
        return None if grid is None else network_crs(grid)

    @property
    def roads(self) -> int:
        """The number of roads."""
        if isinstance(self.found, RoadTable):
            return len(self.found)
        return int(self.found.number_of_edges())

    @property
    def probability(self) -> NDArray[np.float32]:
        """Probability of road (H, W) from 0 to 1, at the pixel size of the training (`pixel_m`)."""
        return to_probability(self.store.road)

    @property
    def pixel_m(self) -> tuple[float, float]:
        """Width and height in metres of a pixel of `probability`."""
        return self.view.gsd

    def save(self, folder: str | Path, outputs: list[str] | None = None) -> None:
        """Write the files that `python -m roadex.predict` writes, or those named.

        Raises:
            RoadexError: a name that does not exist, or a file that cannot be written.
        """
        from roadex.prediction.outputs import chosen_outputs, write_outputs  # it writes networks

        write_outputs(self, Path(folder), chosen_outputs(outputs))

    def to_osmnx(self) -> nx.MultiDiGraph:
        """The roads as a street network of osmnx, for its routing and plots."""
        return to_osmnx(self.graph)

    def nearest_node(self, x: float, y: float) -> Hashable:
        """The junction or road end nearest to a place in the coordinates of `graph`.

        Raises:
            RoadexError: there is no road.
        """
        nodes = list(self.graph)
        if not nodes:
            raise RoadexError(f"{self.view.scene.name}: no road was found, so there is no route")
        places = np.array([position(self.graph, node) for node in nodes])
        result: Hashable = nodes[int(np.argmin(np.hypot(*(places - (x, y)).T)))]
        return result

    def route(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        reach_m: float = 100.0,
        weight: str = LENGTH,
        one_way: bool = True,
    ) -> Route:
        """The best way by road between the places on roads nearest to two places (x, y).

        Args:
            reach_m: how far from a road a place may lie.
            weight: "length" for the shortest way, "travel_time" for the fastest.
            one_way: whether roads with a true `oneway` lead only the way that their lines run.

        Raises:
            RoadexError: a place lies farther from any road, or no road leads there.
        """
        if not self.graph.number_of_edges():
            raise RoadexError(f"{self.view.scene.name}: no road was found, so there is no route")
        return shortest_route(self.graph, start, end, reach_m, weight, one_way)
