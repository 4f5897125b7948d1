"""What a run keeps of its first tiles, so that a report can compare runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from roadex.errors import RoadexError
from roadex.files import write_json
from roadex.graph.formats import read_network, write_network
from roadex.plots.html import shrunk
from roadex.plots.overlays import Picture
from roadex.rasters.masks import read_mask
from roadex.rasters.pictures import read_image, write_image

# Larger tiles are shrunk: they are for looking at, not for scoring.
LONGEST_PX = 1024


@dataclass(frozen=True)
class KeptTile:
    """A tile with its truth and a prediction.

    Attributes:
        image: (H, W, 3) RGB.
        truth, proposal: road masks (H, W).
        truth_graph, proposal_graph: in metres in the image frame.
        gsd: metres per pixel of the arrays.
        scores: of this tile alone, by name.
    """

    image: Picture
    truth: NDArray[np.bool_]
    proposal: NDArray[np.bool_]
    truth_graph: nx.MultiGraph
    proposal_graph: nx.MultiGraph
    gsd: float
    scores: dict[str, float]


def keep_tile(folder: Path, tile: KeptTile) -> None:
    """Write a tile into a folder of its own, no side longer than 1024 pixels."""
    image = shrunk(tile.image, LONGEST_PX)
    gsd = tile.gsd * tile.image.shape[1] / image.shape[1]
    write_image(folder / "image.jpg", image)
    for name, mask in (("truth", tile.truth), ("proposal", tile.proposal)):
        grey = shrunk(mask.astype(np.uint8) * np.uint8(255), LONGEST_PX)
        write_image(folder / f"{name}.png", np.where(grey > 127, 255, 0).astype(np.uint8))
    write_network(tile.truth_graph, folder / "truth.json")
    write_network(tile.proposal_graph, folder / "proposal.json")
    write_json(folder / "tile.json", {"gsd": gsd, "scores": tile.scores})


def kept_names(overlays: Path) -> list[str]:
    """The tiles kept below a run's folder of pictures."""
    return sorted(path.parent.name for path in overlays.glob("tiles/*/tile.json"))


def read_tile(overlays: Path, name: str) -> KeptTile:
    """Read a tile back.

    Raises:
        RoadexError: a file of it is missing or damaged.
    """
    folder = overlays / "tiles" / name
    try:
        facts = json.loads((folder / "tile.json").read_text(encoding="utf-8"))
        gsd, scores = float(facts["gsd"]), dict(facts["scores"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RoadexError(f"{folder / 'tile.json'} cannot be read ({error}): delete it") from error
    return KeptTile(
        read_image(folder / "image.jpg"),
        read_mask(folder / "truth.png").road == 1,
        read_mask(folder / "proposal.png").road == 1,
        read_network(folder / "truth.json"),
        read_network(folder / "proposal.json"),
        gsd,
        scores,
    )
