"""City-Scale: region_N_sat.png with the pickled graph region_N_refine_gt_graph.p."""

from __future__ import annotations

from pathlib import Path

from roadex.data.layouts.base import Layout
from roadex.graph.formats import write_network
from roadex.rasters.pictures import write_image
from roadex.world import SyntheticTile


def _label(index: int, out: Path) -> Path:
    return out / f"region_{index}_refine_gt_graph.p"


def _write(tile: SyntheticTile, index: int, out: Path) -> None:
    write_image(out / f"region_{index}_sat.png", tile.image)
    write_network(tile.graph, _label(index, out), tile.gsd)


CITYSCALE = Layout(_write, _label, size_px=2048, gsd=1.0, most=180)
