"""The City-Scale dataset (Sat2Graph's 20 cities): images and pickled graphs side by side."""

from __future__ import annotations

from roadex.config.dataset import CityScaleConfig
from roadex.data.sources.files import (
    Division,
    FileSource,
    images_below,
    match,
    named,
    raw_folder,
    to_source,
)
from roadex.data.sources.pixel_graphs import PixelGraphReader


def cityscale_source(config: CityScaleConfig) -> FileSource:
    """region_N_sat.png with region_N_refine_gt_graph.p, anywhere below the folder.

    Raises:
        RoadexError: the folder is missing or holds no image with a graph.
    """
    raw = raw_folder(config.raw)
    images = named(images_below(raw), "_sat")
    graphs = named(sorted(raw.rglob("*.p")), "_refine_gt_graph")
    reader = PixelGraphReader(config.gsd, config.widths)
    remedy = "it needs region_N_sat.png with region_N_refine_gt_graph.p"
    return to_source(match(images, graphs), reader, Division(config.splits), config.raw, remedy)
