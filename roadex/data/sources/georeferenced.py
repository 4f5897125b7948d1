"""Tiles of georeferenced rasters whose truth are centre lines in GeoJSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import networkx as nx
import numpy as np

from roadex.config.dataset import RoadWidthConfig, StretchConfig
from roadex.config.labels import IGNORE
from roadex.data.georeference import to_image_frame
from roadex.data.labels import clip_to_tile, road_surface
from roadex.data.sources.files import Entry
from roadex.data.sources.resampling import resized
from roadex.data.stretch import Calibration, Histogram, histogram, to_8_bits
from roadex.data.tile import Tile
from roadex.errors import RoadexError
from roadex.geo.grid import square_shape
from roadex.graph.formats import read_network
from roadex.graph.network import total_length
from roadex.rasters.rasters import Raster, read_raster

_OVERHANG_M = 10.0  # less road outside the image is not worth a line in the report


@dataclass(frozen=True)
class GeoReader:
    """Rasters resampled to square pixels of `gsd` metres, with their lines in the image frame.

    A tile in degrees has oblong pixels (0.24 by 0.30 m in Las Vegas): it is resized along each axis
    so that one number says how large its pixels are, and its lines are placed by the same factors,
    so that they lie on the pixels exactly.
    """

    gsd: float
    widths: RoadWidthConfig
    stretch: StretchConfig
    bands: list[int] | None = None
    calibration: Calibration = field(default_factory=dict)

    def read(self, entry: Entry) -> Tile:
        """The raster in 8 bits, its road surface and its network."""
        raster = read_raster(entry.image, self.bands)
        assert raster.grid is not None  # read_raster demands it
        shape = square_shape(raster.grid.shape, raster.grid.pixel_metres(), self.gsd)
        image, valid = resized(
            to_8_bits(raster.bands, self.calibration, entry.group, entry.image), raster.valid, shape
        )
        graph, notes = self._network(entry, raster, shape)
        mask = road_surface(graph, shape, self.gsd, self.widths)
        if valid is not None:
            mask[~valid] = IGNORE
        return Tile(image, mask, graph, notes)

    def histogram(self, entry: Entry) -> Histogram | None:
        """The values of a raster of more than 8 bits."""
        raster = read_raster(entry.image, self.bands)
        if raster.bands.dtype == np.uint8:
            return None
        return histogram(raster.bands, raster.valid, self.stretch.every)

    def calibrated(self, calibration: Calibration) -> GeoReader:
        """The same reader, its contrast set."""
        return replace(self, calibration=calibration)

    def identity(self) -> dict[str, Any]:
        """Widths of roads, contrast and bands."""
        return {
            "widths": asdict(self.widths),
            "stretch": asdict(self.stretch),
            "bands": self.bands,
        }

    def _network(
        self, entry: Entry, raster: Raster, shape: tuple[int, int]
    ) -> tuple[nx.MultiGraph, tuple[str, ...]]:
        """The lines of a tile in its image frame, and what had to be left out of them."""
        drawn = read_network(entry.label)
        assert raster.grid is not None  # read_raster demands it
        rows, columns = raster.grid.shape
        scale = self.gsd * shape[1] / columns, self.gsd * shape[0] / rows
        placed = to_image_frame(drawn, raster.grid, scale)
        inside = clip_to_tile(placed, (shape[1] * self.gsd, shape[0] * self.gsd))
        if placed.number_of_edges() and not inside.number_of_edges():
            raise RoadexError(
                f"{entry.label}: no line lies within {entry.image.name}; are the axes swapped, or "
                "does it lack the name of its coordinate system?"
            )
        return inside, _notes(entry, drawn, total_length(placed) - total_length(inside))


def _notes(entry: Entry, drawn: nx.MultiGraph, outside_m: float) -> tuple[str, ...]:
    dropped = {k: n for k, n in drawn.graph.get("dropped", {}).items() if k != "repeated point"}
    notes = [f"{entry.label.name}: left out {count} x {what}" for what, count in dropped.items()]
    if not drawn.number_of_edges():
        notes.append(f"{entry.label.name}: holds no road")
    if outside_m > _OVERHANG_M:
        notes.append(f"{entry.label.name}: left out {outside_m:.0f} m of road outside the image")
    return tuple(notes)
