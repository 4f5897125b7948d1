"""A model that needs no training, and images that it understands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import rasterio
import torch
from torch import nn

from roadex.config.inference import InferenceConfig
from roadex.config.labels import ATTRIBUTE_NAMES
from roadex.engine.inference import Predictor
from roadex.graph import draw_roads
from roadex.graph.network import straight_network
from roadex.prediction.pipeline import LoadedModel

DARK, BRIGHT = 60, 200
UTM = "EPSG:32632"


class BrightRoads(nn.Module):
    """Road where the pixel is bright, always along; five classes of connectivity."""

    def forward(self, image: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        value = 4 * image.mean(dim=1, keepdim=True)
        none = torch.full_like(value, -10.0)
        ways = torch.cat([-value, none, value, none, none], dim=1)
        return {"segmentation": [torch.cat([-value, value], dim=1)], "connectivity": [ways]}


def bright_model(gsd: float = 0.5, contrast: dict | None = None, **inference: int) -> LoadedModel:
    """The stand-in as a trained model of that pixel size."""
    settings = InferenceConfig(**{"window": 128, "overlap": 32, **inference})
    device = torch.device("cpu")
    predictor = Predictor(BrightRoads(), device, [0.5] * 3, [0.25] * 3, settings)
    return LoadedModel(predictor, "stand-in", "stand-in", gsd, 0.5, contrast or {}, 5)


def ladder(side_m: float = 200.0) -> nx.MultiGraph:
    """Two long streets joined by three rungs, and a dead end: 3 junctions, in the image frame."""
    step = side_m / 5
    places = [(x * step, y * step) for y in (1.25, 3.75) for x in (1.0, 2.5, 4.0)]
    places += [(4.0 * step, 4.6 * step)]
    streets = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5), (5, 6)]
    return straight_network(places, streets)


def picture_of(graph: nx.MultiGraph, shape: tuple[int, int], gsd: float) -> np.ndarray:
    """An image (H, W, 3) with bright roads 7 m wide."""
    for *_, data in graph.edges(data=True):
        data["width_m"] = 7.0
    image = np.full((*shape, 3), DARK, np.uint8)
    image[draw_roads(graph, shape, gsd, "width_m")] = BRIGHT
    return image


def write_tif(
    path: Path,
    image: np.ndarray,
    crs: str | None = UTM,
    step: tuple[float, float] = (0.5, -0.5),
    corner: tuple[float, float] = (500_000.0, 5_000_000.0),
    **options: object,
) -> Path:
    """Write (H, W, C) as a GeoTIFF."""
    bands = np.moveaxis(image, -1, 0)
    profile = {"driver": "GTiff", "count": len(bands), "dtype": image.dtype, **options}
    if crs is not None:
        place = rasterio.Affine(step[0], 0, corner[0], 0, step[1], corner[1])
        profile |= {"crs": crs, "transform": place}
    with rasterio.open(path, "w", height=bands.shape[1], width=bands.shape[2], **profile) as file:
        file.write(bands)
    return path


class TintedRoads(BrightRoads):
    """Red roads are unpaved tracks of one lane, 15 mph; others residential, of two, 25 mph."""

    def forward(self, image: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        """Also the channels of attributes, in the order of roadex.graph.attribute_labels."""
        red = 8 * (image[:, :1] - image[:, 2:] - 0.5)
        none = torch.full_like(red, -20.0)
        classes = [none, none, none, none, -red, none, red]
        speeds = [none, red, -red, none, none, none, none]
        channels = [*classes, -red, red, red, -red, none, none, *speeds]
        return {**super().forward(image), "attributes": [torch.cat(channels, dim=1)]}


def tinted_model(names: tuple[str, ...] = ATTRIBUTE_NAMES) -> LoadedModel:
    """The stand-in as a trained model of these attributes of roads."""
    model = bright_model()
    return replace(model, predictor=replace(model.predictor, model=TintedRoads()), attributes=names)


def tinted(image: np.ndarray, from_row: int) -> np.ndarray:
    """The picture with red roads from a row on."""
    result = image.copy()
    lower = result[from_row:]
    lower[lower[..., 0] == BRIGHT] = (255, BRIGHT, BRIGHT - 55)
    return result
