"""The full report on one split: scores, a table of its graphs, and pictures."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from roadex.config.dataset import RGB_BANDS
from roadex.config.evaluate import EvaluateConfig
from roadex.config.graph import DecodingSettings, needs_connectivity, with_chance
from roadex.config.inference import InferenceConfig
from roadex.config.metrics import AplsSettings
from roadex.config.model import learnt_attributes
from roadex.data.combined import prepare_combined
from roadex.data.prepared import PreparedDataset
from roadex.data.splits import split_hash
from roadex.engine.device import pick_device
from roadex.engine.evaluation import (
    SplitPrediction,
    TileGraphs,
    connection_scores,
    decode_graphs,
    each_city,
    each_dataset,
    graph_rows,
    pixel_scores,
    predict_split,
    prefixed,
    relaxed_scores,
    score_graphs,
    slack_scores,
    tile_pixels,
)
from roadex.engine.inference import (
    Predict,
    Predictor,
    at_pixels,
    finest_gsd,
    for_member,
    working_gsd,
)
from roadex.engine.pair_classifier import PairClassifier
from roadex.errors import RoadexError
from roadex.files import write_json, write_table
from roadex.graph.formats import write_network
from roadex.graph.paths.network import ClassifiedPairs
from roadex.metrics.diagnosis.pairs import diagnose_pairs, pair_scores, write_pairs
from roadex.metrics.summary import mean_scores
from roadex.plots.overlays import comparison, overlay
from roadex.plots.tiles import KeptTile, keep_tile
from roadex.rasters.pictures import write_image
from roadex.runs.checkpoint import Checkpoint
from roadex.runs.load import load_checkpoint

if TYPE_CHECKING:
    from roadex.engine.evaluation import Classifier

log = logging.getLogger(__name__)
TEST_METRICS = ("apls", "topo", "length", "junctions")


@dataclass
class SplitReport:
    """The results of a model on a split.

    Attributes:
        scores: pixel, relaxed and graph scores by name.
        rows: a table row for each tile: the scores of its graph and of its pixels.
        graphs: the graphs themselves.
        pictures: the files drawn.
        confusion: of each attribute of roads, in metres; empty where none is learnt.
        pairs: the classified pairs of each tile; empty where roads are those of the mask.
    """

    scores: dict[str, float]
    rows: list[dict[str, Any]]
    graphs: list[TileGraphs]
    pictures: list[Path]
    confusion: dict[str, Any] = field(default_factory=dict)
    pairs: dict[str, ClassifiedPairs] = field(default_factory=dict)


def report_split(
    predictor: Predict,
    dataset: PreparedDataset,
    split: str,
    threshold: float,
    settings: DecodingSettings,
    metric: AplsSettings,
    folder: Path,
    pictures: int,
    classifier: Classifier | None = None,
    attributes: Sequence[str] = (),
) -> SplitReport:
    """Predict and score a split at a given threshold; draw its first `pictures` tiles.

    With a `classifier` of pairs of vertices the graphs are made of these. The `attributes` of roads
    that the model learns are scored, too.
    """
    directions = needs_connectivity(settings)
    prediction = predict_split(
        predictor, dataset, split, directions, for_member, classifier, attributes
    )
    graphs = decode_graphs(prediction, threshold, settings)
    results = score_graphs(graphs, metric, TEST_METRICS)
    surface = partial(_surface_scores, threshold=threshold)
    scores = {
        **_surface_scores(prediction, threshold),
        **mean_scores(results),
        **connection_scores(graphs),
        **each_dataset(prediction, results, surface),
        **each_city(prediction, results, surface),
    }
    shown = list(zip(graphs, results, strict=True))[:pictures]
    drawn = [_draw(prediction, graph, result.scores, threshold, folder) for graph, result in shown]
    rows = [
        {
            **row,
            **_city_cell(dataset, row["tile"]),
            **tile_pixels(prediction, row["tile"], threshold),
        }
        for row in graph_rows(graphs, results)
    ]
    confusion = prediction.attributes.table()
    return SplitReport(scores, rows, graphs, drawn, confusion, prediction.pairs)


def _city_cell(dataset: PreparedDataset, name: str) -> dict[str, str]:
    return {"city": dataset.cities[name]} if name in dataset.cities else {}


def _surface_scores(prediction: SplitPrediction, threshold: float) -> dict[str, float]:
    return {
        **pixel_scores(prediction, threshold),
        **relaxed_scores(prediction, threshold),
        **slack_scores(prediction),
    }


def evaluate_checkpoint(config: EvaluateConfig) -> dict[str, Any]:
    """Score the checkpoint of `config` and write the results; returns the content of metrics.json.

    Raises:
        RoadexError: an unusable checkpoint, dataset or output folder.
    """
    out = Path(config.out)
    checkpoint = load_checkpoint(config.checkpoint)
    device = pick_device(config.device)
    dataset = _dataset(config, checkpoint)
    model = checkpoint.build().to(device)
    classifier = PairClassifier.wanted(model, device, config.graph.decoder)
    if config.pairs and classifier is None:
        raise RoadexError(
            "pairs=true: roads are those of the mask here, so that there are no pairs: "
            "leave it out, or take a checkpoint of model.paths=true without graph.decoder=mask"
        )
    predictor = _predictor(model, device, checkpoint, config.inference)
    threshold = checkpoint.threshold if config.threshold is None else config.threshold
    graph = with_chance(config.graph, checkpoint.chance)
    report = report_split(
        _at_its_pixels(predictor, checkpoint.config.dataset.gsd, dataset.gsd),
        dataset,
        config.split,
        threshold,
        graph,
        config.apls,
        out / "overlays",
        config.overlays,
        classifier,
        learnt_attributes(checkpoint.config.model),
    )
    if config.pairs and classifier is not None:
        report.scores |= _diagnose_pairs(report, graph, classifier, out)
    metrics = {
        **prefixed(config.split, report.scores),
        f"{config.split}/tiles": len(report.graphs),
        "threshold": threshold,
        "threshold_from": "validation" if config.threshold is None else "command line",
        "checkpoint": config.checkpoint,
        "epoch": checkpoint.epoch,
        "split_hash": split_hash(dataset.splits),
        **confusion_of(report),
        "settings": {"graph": asdict(graph), "apls": asdict(config.apls)},
    }
    _write_report(report, metrics, out)
    return metrics


def _diagnose_pairs(
    report: SplitReport, settings: DecodingSettings, classifier: PairClassifier, out: Path
) -> dict[str, float]:
    """Write the lost and invented pairs of each tile; returns the scores of the pairs of all."""
    total: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for graph in report.graphs:
        pairs, vertices = report.pairs[graph.name], classifier.head.config.vertices
        result = diagnose_pairs(pairs, graph.truth, settings.paths, vertices)
        write_pairs(result, out / "pairs" / f"{graph.name}.geojson")
        rows.append({"tile": graph.name, **result.counts()})
        total.update(result.counts())
    write_table(out / "pairs.csv", rows)
    return pair_scores(total)


def confusion_of(report: SplitReport) -> dict[str, Any]:
    """The confusion of attributes as in metrics.json; empty if none is learnt."""
    return {"confusion": report.confusion} if report.confusion else {}


def _dataset(config: EvaluateConfig, checkpoint: Checkpoint) -> PreparedDataset:
    """The tiles to score: of the dataset that is asked for, else of all that were trained on."""
    trained, everything = checkpoint.config, config.split == "all"
    own = {} if config.dataset is not None else trained.datasets
    if config.dataset is not None and config.dataset.band_count != len(checkpoint.mean):
        raise RoadexError(
            f"dataset.bands: {config.dataset.band_count} bands, but the model takes "
            f"{len(checkpoint.mean)}: name the bands of its training, dataset.bands="
            f"{list(trained.dataset.band_numbers or (1, 2, 3))}"
        )
    dataset = prepare_combined(
        config.dataset or trained.dataset,
        {name: other for name, other in own.items() if everything or config.split in other.use},
        trained.model.connectivity_classes,
        log.info,
        trained.model.attributes,
        needed=() if everything else (config.split,),
        contrast=checkpoint.contrast or None,
    )
    return dataset.with_split("all") if everything else dataset


def _predictor(
    model: nn.Module, device: torch.device, checkpoint: Checkpoint, asked: InferenceConfig
) -> Predictor:
    finest = finest_gsd(asked, checkpoint.config.trainer.inference)
    settings = replace(asked, finest_gsd=finest)
    return Predictor(model, device, checkpoint.mean, checkpoint.std, settings)


def _at_its_pixels(predictor: Predictor, trained: float, gsd: float) -> Predict:
    """The predictor for tiles of another pixel size, seen as large as those of its training."""
    wanted = working_gsd(gsd, trained, predictor.settings.finest_gsd)
    seen = at_pixels(predictor, gsd, wanted)
    if seen is not predictor:
        log.info("pixels of %.3g m are resampled to the %.3g m of the training", gsd, wanted)
    return seen


def _write_report(report: SplitReport, metrics: dict[str, Any], out: Path) -> None:
    for graph in report.graphs:
        write_network(graph.proposal, out / "graphs" / f"{graph.name}.geojson")
        write_network(graph.truth, out / "truth" / f"{graph.name}.geojson")
    write_table(out / "graphs.csv", report.rows)
    write_json(out / "metrics.json", metrics)


def _draw(
    prediction: SplitPrediction,
    graph: TileGraphs,
    scores: dict[str, float],
    threshold: float,
    folder: Path,
) -> Path:
    """Write the tile's overlay, with and without the imagery, and the data for reports."""
    dataset = prediction.dataset
    tile = dataset.tile(graph.name)
    image = np.ascontiguousarray(tile.image[..., :RGB_BANDS])
    truth, proposal = tile.mask == 1, prediction.mask(graph.name, threshold)
    title = f"{graph.name}: APLS {scores['apls']:.3f}"
    path = folder / f"{graph.name}.jpg"
    gsd = dataset.member(graph.name).gsd
    picture = overlay(image, truth, proposal, graph.truth, graph.proposal, gsd, title)
    write_image(path, picture)
    without_image = comparison(truth, proposal, graph.truth, graph.proposal, gsd, title)
    write_image(folder / "truth_vs_prediction" / f"{graph.name}.png", without_image)
    kept = KeptTile(image, truth, proposal, graph.truth, graph.proposal, gsd, scores)
    keep_tile(folder / "tiles" / graph.name, kept)
    return path
