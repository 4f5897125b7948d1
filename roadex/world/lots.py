"""Building lots along residential roads: where houses, drives and gardens are."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np

from roadex.world.frame import FloatArray
from roadex.world.landuse import KINDS, UseMap
from roadex.world.scene import Occupancy


@dataclass(frozen=True)
class Stations:
    """Points along the two sides of a road: `at` (n, 2) on the centreline, unit vectors
    `along` and `out` (n, 2), the way of the road and away from it.
    """

    at: FloatArray
    along: FloatArray
    out: FloatArray
    half_width_m: float


def stations(line: FloatArray, width_m: float, spacing_m: float, first_m: float) -> Stations:
    """Stations on both sides of a line (n, 2), every `spacing_m` from `first_m` on."""
    steps = np.diff(line, axis=0)
    lengths = np.hypot(*steps.T)
    reach = np.concatenate([[0.0], np.cumsum(lengths)])
    where = np.arange(first_m, reach[-1] - first_m * 0.5, spacing_m)
    index = np.clip(np.searchsorted(reach, where, side="right") - 1, 0, len(steps) - 1)
    along = steps[index] / np.maximum(lengths[index], 1e-9)[:, None]
    at = line[index] + (where - reach[index])[:, None] * along
    out = np.column_stack([-along[:, 1], along[:, 0]])
    both = np.vstack([at, at]), np.vstack([along, along]), np.vstack([out, -out])
    return Stations(*both, width_m / 2)


@dataclass(frozen=True)
class Lot:
    """A lot of `width_m` along the road and `depth_m` away from it.

    `front` is the middle of its edge on the road's side.
    """

    front: FloatArray
    along: FloatArray
    out: FloatArray
    width_m: float
    depth_m: float

    def point(self, along_m: float, out_m: float) -> FloatArray:
        """A point of the lot, from the middle of its front."""
        return self.front + along_m * self.along + out_m * self.out

    def quad(self, along_m: float, out_m: float, width_m: float, depth_m: float) -> FloatArray:
        """Corners (4, 2) of a rectangle in it whose front edge has its middle at a point."""
        left, right = along_m - width_m / 2, along_m + width_m / 2
        return np.array(
            [
                self.point(left, out_m),
                self.point(right, out_m),
                self.point(right, out_m + depth_m),
                self.point(left, out_m + depth_m),
            ]
        )


@dataclass(frozen=True)
class Neighbourhood:
    """What the lots of a tile have in common, in metres."""

    lot_width: float
    lot_depth: float
    setback: float
    verge: float
    gap: float  # between neighbouring houses
    depth: tuple[float, float]  # of houses

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Neighbourhood:
        """The habits of some suburb: narrow, dense or roomy."""
        if rng.random() < 0.35:
            return cls._narrow(rng)
        dense = rng.random() < 0.4
        return cls(
            lot_width=float(rng.uniform(8.0, 12.0) if dense else rng.uniform(14, 24)),
            lot_depth=float(rng.uniform(26, 48)),
            setback=float(rng.uniform(2.5, 6) if dense else rng.uniform(5, 10)),
            verge=float(rng.uniform(1.5, 3.5)),
            gap=float(rng.uniform(1.6, 4.5)),
            depth=(8.5, 16.0),
        )

    @classmethod
    def _narrow(cls, rng: np.random.Generator) -> Neighbourhood:
        """The long narrow lots of inner suburbs, whose houses almost touch."""
        return cls(
            lot_width=float(rng.uniform(6.8, 9.0)),
            lot_depth=float(rng.uniform(28, 44)),
            setback=float(rng.uniform(2.5, 6.0)),
            verge=float(rng.uniform(2.0, 4.5)),
            gap=float(rng.uniform(0.2, 1.6)),
            depth=(12.0, 19.0),
        )


def draw_lots(
    graph: nx.MultiGraph,
    uses: UseMap,
    ground: Occupancy,
    habit: Neighbourhood,
    rng: np.random.Generator,
) -> list[Lot]:
    """Lots on residential ground along all streets that have addresses."""
    lots = []
    for *_, data in graph.edges(data=True):
        if data["layer"] or data["road_class"] not in ("residential", "collector", "arterial"):
            continue
        width = habit.lot_width * rng.uniform(0.9, 1.2)
        places = stations(data["geometry"], data["width_m"], width, data["width_m"] + 4)
        centres = places.at + (places.half_width_m + 14) * places.out
        wanted = (uses.at(centres) == KINDS.index("residential")) & ground.free(centres)
        depths = _depths(uses, places, habit)
        for i in np.flatnonzero(wanted):
            front = places.at[i] + (places.half_width_m + habit.verge) * places.out[i]
            lots.append(Lot(front, places.along[i], places.out[i], width, float(depths[i])))
    return lots


def _depths(uses: UseMap, places: Stations, habit: Neighbourhood) -> FloatArray:
    """How deep lots are: half-way to the next road behind them, within reason."""
    probes = np.arange(10.0, 100.0, 3.0)
    reach = (places.half_width_m + probes)[:, None, None] * places.out
    kinds = uses.at((places.at + reach).reshape(-1, 2)).reshape(len(probes), -1)
    inside = kinds == KINDS.index("residential")
    free = np.where(inside.all(axis=0), 100.0, probes[np.argmin(inside, axis=0)])
    depths: FloatArray = np.clip(free / 2 - habit.verge, 12.0, habit.lot_depth)
    return depths
