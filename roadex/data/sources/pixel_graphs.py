"""Tiles labelled by a graph in pixels: City-Scale's pickles and RoadTracer's text graphs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from roadex.config.dataset import RoadWidthConfig
from roadex.data.labels import clip_to_tile, road_surface
from roadex.data.sources.files import Entry
from roadex.data.stretch import Calibration
from roadex.data.tile import Tile
from roadex.errors import RoadexError
from roadex.graph.formats import read_network
from roadex.graph.frame import shifted
from roadex.rasters.pictures import read_image


@dataclass(frozen=True)
class PixelGraphReader:
    """Images with graphs whose pixels are `gsd` metres large."""

    gsd: float
    widths: RoadWidthConfig

    def read(self, entry: Entry) -> Tile:
        """The image, with the part of the graph that lies on it."""
        image = read_image(entry.image)
        shape = image.shape[0], image.shape[1]
        whole = read_network(entry.label, self.gsd)
        right, down = entry.corner
        placed = shifted(whole, -right * self.gsd, -down * self.gsd)
        graph = clip_to_tile(placed, (shape[1] * self.gsd, shape[0] * self.gsd))
        if whole.number_of_edges() and not graph.number_of_edges() and entry.corner == (0, 0):
            raise RoadexError(
                f"{entry.label}: no road lies on {entry.image.name}; is it the graph of another?"
            )
        return Tile(image, road_surface(graph, shape, self.gsd, self.widths), graph)

    def histogram(self, entry: Entry) -> None:
        """Nothing: the images have 8 bits."""

    def calibrated(self, calibration: Calibration) -> PixelGraphReader:
        """Itself: the images have 8 bits."""
        return self

    def identity(self) -> dict[str, Any]:
        """The widths of roads."""
        return {"widths": asdict(self.widths)}
