"""Scores of a network on a split: pixels first, then the road graphs that it draws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from roadex.data.prepared import IGNORE, PreparedDataset
from roadex.engine.inference import Predictor
from roadex.graph import GraphSettings, mask_to_graph
from roadex.graph.network import total_length
from roadex.metrics import apls
from roadex.metrics.pixel import BINS, RelaxedCounts, ThresholdCurve
from roadex.metrics.settings import AplsSettings

NAN = float("nan")


@dataclass
class SplitPrediction:
    """What the network says of every tile of a split.

    Attributes:
        probability: (H, W) uint8 per tile, the road probability in 1/256, rounded down.
        curve: pixel counts at every threshold, over all tiles.
        connectivity: (K, K) pixel counts, row = truth, column = prediction; None without the task.
    """

    dataset: PreparedDataset
    probability: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    curve: ThresholdCurve = field(default_factory=ThresholdCurve)
    connectivity: NDArray[np.int64] | None = None

    def mask(self, name: str, threshold: float) -> NDArray[np.bool_]:
        """The road mask (H, W) of a tile at a threshold, which is rounded to 1/256."""
        return self.probability[name] >= round(threshold * BINS)


@dataclass
class GraphScore:
    """The road graph of one tile and its score; `apls` is NaN where truth and graph are empty."""

    name: str
    truth: nx.MultiGraph
    proposal: nx.MultiGraph
    apls: float
    truth_to_proposal: float
    proposal_to_truth: float


def predict_split(predictor: Predictor, dataset: PreparedDataset, split: str) -> SplitPrediction:
    """Predict every whole tile of a split, with a progress bar."""
    prediction = SplitPrediction(dataset)
    for name in tqdm(
        dataset.splits[split], desc=f"{split} tiles", unit="tile", leave=False, disable=None
    ):
        tile = dataset.tile(name)
        probabilities = predictor(tile.image)
        road = np.minimum(probabilities["segmentation"][1] * BINS, BINS - 1).astype(np.uint8)
        prediction.probability[name] = road
        prediction.curve.update(road / BINS, tile.mask == 1, tile.mask == IGNORE)
        if "connectivity" in probabilities:
            counts = _class_confusion(tile.connectivity, probabilities["connectivity"])
            before = prediction.connectivity
            prediction.connectivity = counts if before is None else before + counts
    return prediction


def _class_confusion(
    truth: NDArray[np.uint8], probability: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Pixel counts (K, K), row = truth, column = the likeliest class, ignored pixels left out."""
    classes = len(probability)
    valid = truth != IGNORE
    pairs = truth[valid].astype(np.int64) * classes + probability.argmax(axis=0)[valid]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def pixel_scores(prediction: SplitPrediction, threshold: float) -> dict[str, float]:
    """precision, recall, f1 and iou of the road class, pooled over all pixels of the split."""
    scores = prediction.curve.confusion(threshold).scores()
    if prediction.connectivity is not None:
        scores["connectivity_iou"] = mean_class_iou(prediction.connectivity)
    return scores


def mean_class_iou(confusion: NDArray[np.int64]) -> float:
    """Mean IoU of the classes but the background, of those that occur: from counts (K, K)."""
    found = np.diag(confusion)[1:]
    union = (confusion.sum(axis=0) + confusion.sum(axis=1))[1:] - found
    return float((found[union > 0] / union[union > 0]).mean()) if (union > 0).any() else NAN


def relaxed_scores(prediction: SplitPrediction, threshold: float) -> dict[str, float]:
    """Relaxed precision, recall, F1 and IoU on skeletons, buffer 3 px, pooled over the split."""
    total = RelaxedCounts()
    for name in prediction.probability:
        tile = prediction.dataset.tile(name)
        proposal = prediction.mask(name, threshold)
        total += RelaxedCounts.of(tile.mask == 1, proposal, ignore=tile.mask == IGNORE)
    return {f"relaxed_{key}": value for key, value in total.scores().items()}


def score_graphs(
    prediction: SplitPrediction, threshold: float, settings: GraphSettings, metric: AplsSettings
) -> list[GraphScore]:
    """The road graph of every tile, and its APLS against the true graph."""
    names = tqdm(prediction.probability, desc="road graphs", unit="tile", leave=False, disable=None)
    return [_score_graph(prediction, name, threshold, settings, metric) for name in names]


def _score_graph(
    prediction: SplitPrediction,
    name: str,
    threshold: float,
    settings: GraphSettings,
    metric: AplsSettings,
) -> GraphScore:
    dataset = prediction.dataset
    truth = dataset.graph(name)
    ignored = dataset.tile(name).mask == IGNORE
    mask = prediction.mask(name, threshold) & ~ignored
    proposal = mask_to_graph(mask, dataset.gsd, settings)
    score = apls(truth, proposal, metric)
    return GraphScore(
        name, truth, proposal, score.value, score.truth_to_proposal, score.proposal_to_truth
    )


def graph_scores(graphs: list[GraphScore]) -> dict[str, float]:
    """Mean APLS over the tiles with a road in truth or graph; the others are counted apart."""
    scored = [graph for graph in graphs if not math.isnan(graph.apls)]

    def mean(values: Iterator[float]) -> float:
        return sum(values) / len(scored) if scored else NAN

    return {
        "apls": mean(graph.apls for graph in scored),
        "apls/truth_to_proposal": mean(graph.truth_to_proposal for graph in scored),
        "apls/proposal_to_truth": mean(graph.proposal_to_truth for graph in scored),
        "apls/n_scored": len(scored),
        "apls/n_total": len(graphs),
    }


def graph_rows(graphs: list[GraphScore]) -> list[dict[str, Any]]:
    """A table of the tiles: name, APLS, both directions, and road lengths in metres."""
    return [
        {
            "tile": graph.name,
            "apls": graph.apls,
            "truth_to_proposal": graph.truth_to_proposal,
            "proposal_to_truth": graph.proposal_to_truth,
            "true_length_m": round(total_length(graph.truth), 1),
            "proposed_length_m": round(total_length(graph.proposal), 1),
        }
        for graph in graphs
    ]


def prefixed(prefix: str, scores: dict[str, float]) -> dict[str, float]:
    """Scores under `prefix/`."""
    return {f"{prefix}/{key}": value for key, value in scores.items()}
