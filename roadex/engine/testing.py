"""The full report on one split: scores, a table of its graphs, and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roadex.data.images import write_image
from roadex.data.prepared import PreparedDataset
from roadex.engine.evaluation import (
    GraphScore,
    SplitPrediction,
    graph_rows,
    graph_scores,
    pixel_scores,
    predict_split,
    relaxed_scores,
    score_graphs,
)
from roadex.engine.inference import Predictor
from roadex.graph import GraphSettings
from roadex.metrics.settings import AplsSettings
from roadex.report.overlays import comparison, overlay


@dataclass
class SplitReport:
    """What a network does on a split.

    Attributes:
        scores: pixel, relaxed and graph scores by name.
        rows: a table row for each tile's graph.
        graphs: the graphs themselves.
        pictures: the files drawn.
    """

    scores: dict[str, float]
    rows: list[dict[str, Any]]
    graphs: list[GraphScore]
    pictures: list[Path]


def report_split(
    predictor: Predictor,
    dataset: PreparedDataset,
    split: str,
    threshold: float,
    settings: GraphSettings,
    metric: AplsSettings,
    folder: Path,
    pictures: int,
) -> SplitReport:
    """Predict and score a split at a given threshold; draw its first `pictures` tiles."""
    prediction = predict_split(predictor, dataset, split)
    graphs = score_graphs(prediction, threshold, settings, metric)
    scores = {
        **pixel_scores(prediction, threshold),
        **relaxed_scores(prediction, threshold),
        **graph_scores(graphs),
    }
    drawn = [_draw(prediction, graph, threshold, folder) for graph in graphs[:pictures]]
    return SplitReport(scores, graph_rows(graphs), graphs, drawn)


def _draw(
    prediction: SplitPrediction, graph: GraphScore, threshold: float, folder: Path
) -> Path:
    """Write the tile's overlay, and the same without the imagery into `truth_vs_prediction`."""
    dataset = prediction.dataset
    tile = dataset.tile(graph.name)
    truth, proposal = tile.mask == 1, prediction.mask(graph.name, threshold)
    title = f"{graph.name}: APLS {graph.apls:.3f}"
    path = folder / f"{graph.name}.jpg"
    picture = overlay(
        tile.image, truth, proposal, graph.truth, graph.proposal, dataset.gsd, title
    )
    write_image(path, picture)
    without_image = comparison(truth, proposal, graph.truth, graph.proposal, dataset.gsd, title)
    write_image(folder / "truth_vs_prediction" / f"{graph.name}.png", without_image)
    return path
