"""Scores of a model on a split: its pixels and its road graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from roadex.config.labels import IGNORE
from roadex.config.metrics import AplsSettings, MetricSettings
from roadex.data.prepared import Member, PreparedDataset
from roadex.graph import DecodingSettings, GraphSettings, probabilities_to_graph, road_mask
from roadex.graph.attribute_reading import AttributeMaps, attribute_means, columns_of, worded
from roadex.graph.network import total_length
from roadex.graph.paths.network import ClassifiedPairs, paths_to_graph
from roadex.graph.probability_maps import mean_probability
from roadex.metrics.attributes import AttributeCounts
from roadex.metrics.connections import count_false
from roadex.metrics.pixel import BINS, Confusion, RelaxedCounts, SlackCurve, ThresholdCurve
from roadex.metrics.summary import Job, PairScore, mean_scores, score_many

if TYPE_CHECKING:  # processes that score graphs work without torch, whose import takes seconds
    from roadex.engine.inference import Predict

    Adapt = Callable[[Predict, Member], Predict]
    Classifier = Callable[[dict[str, NDArray[np.float32]], tuple[float, float]], ClassifiedPairs]

NAN = float("nan")


@dataclass
class SplitPrediction:
    """The model's predictions for every tile of a split.

    Attributes:
        probability: (H, W) uint8 per tile, the road probability in 1/256, rounded down.
        curves: pixel counts at every threshold, by the dataset that tiles are of.
        directions: (K, H, W) uint8 per tile, likewise of each connectivity class; empty without the
            task, or where `with_directions` is off, since they take five times as much memory.
        ways: (K, K) pixel counts of each tile's connectivity, row = truth, column = prediction; of
            all tiles under one name where processes share them; empty without the task.
        classifier: of a tile's pairs of vertices; None where the model has no such head.
        pairs: of each tile, where they are classified.
        attribute_names: the attributes of roads that the model learns.
        attributes: counts of the true roads' attributes.
    """

    dataset: PreparedDataset
    with_directions: bool = False
    probability: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    directions: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    curves: dict[str, ThresholdCurve] = field(default_factory=dict)
    ways: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    classifier: Classifier | None = None
    pairs: dict[str, ClassifiedPairs] = field(default_factory=dict)
    attribute_names: Sequence[str] = ()
    attributes: AttributeCounts = field(default_factory=AttributeCounts)

    @property
    def curve(self) -> ThresholdCurve:
        """The counts of all tiles together."""
        return sum_curves(self.curves.values())

    @property
    def connectivity(self) -> NDArray[np.int64] | None:
        """The counts `ways` of all tiles together; None without the task."""
        return sum(self.ways.values(), np.int64(0)) if self.ways else None  # type: ignore[return-value]

    def mask(self, name: str, threshold: float) -> NDArray[np.bool_]:
        """The road mask (H, W) of a tile at a threshold, which is rounded to 1/256."""
        return road_mask(self.probability[name], threshold)

    def add(self, name: str, probabilities: dict[str, NDArray[np.float32]]) -> None:
        """Keep and count the predictions for a tile: (K, H, W) of each task."""
        tile = self.dataset.tile(name)
        self.probability[name] = _in_bins(probabilities["segmentation"][1])
        self._count(name)
        if "connectivity" in probabilities:
            found = probabilities["connectivity"]
            self.ways[name] = _class_confusion(tile.connectivity, found)
            if self.with_directions:
                self.directions[name] = _in_bins(probabilities["connectivity"])
        if self.attribute_names:
            self.attributes += self._attributes(name, probabilities)
        if self.classifier is not None:
            known = _known_only(probabilities, tile.mask == IGNORE)
            gsd = self.dataset.member(name).gsd
            self.pairs[name] = self.classifier(known, (gsd, gsd))

    def _count(self, name: str) -> None:
        """Count the pixels of a tile at every threshold."""
        mask = self.dataset.tile(name).mask
        curve = self.curves.setdefault(self.dataset.member_key(name), ThresholdCurve())
        curve.update(self.probability[name] / BINS, mask == 1, mask == IGNORE)

    def _attributes(
        self, name: str, probabilities: dict[str, NDArray[np.float32]]
    ) -> AttributeCounts:
        """Counts of the attributes of a tile's true roads that are known."""
        counts, gsd = AttributeCounts(), self.dataset.member(name).gsd
        ignored = (self.dataset.tile(name).mask == IGNORE).view(np.uint8) * np.uint8(BINS - 1)
        roads = [
            data
            for *_, data in self.dataset.tagged(name).edges(data=True)
            if not ignored.any() or mean_probability(data["geometry"], ignored, (gsd, gsd)) < 0.5
        ]
        planes, road = _in_bins(probabilities["attributes"]), self.probability[name]
        maps = AttributeMaps(lambda: planes, lambda: road, (gsd, gsd))
        means = attribute_means([data["geometry"] for data in roads], maps)
        columns = columns_of(means, self.attribute_names)
        for i, data in enumerate(roads):
            counts.add(data, {name: worded(name, values[i]) for name, values in columns.items()})
        return counts

    def only(self, names: Sequence[str]) -> SplitPrediction:
        """The predictions of some tiles, without the counts."""
        return SplitPrediction(
            self.dataset,
            self.with_directions,
            {name: self.probability[name] for name in names},
            {name: self.directions[name] for name in names if name in self.directions},
            pairs={name: self.pairs[name] for name in names if name in self.pairs},
        )

    def of_dataset(self, key: str) -> SplitPrediction:
        """The predictions of one dataset's tiles, with the counts at every threshold alone."""
        part = self.only([n for n in self.probability if self.dataset.member_key(n) == key])
        part.curves = {key: self.curves[key]} if key in self.curves else {}
        return part

    def of(self, names: Sequence[str]) -> SplitPrediction:
        """The predictions of some tiles with the counts of these, those of attributes left out."""
        part = self.only(names)
        part.ways = {name: self.ways[name] for name in names if name in self.ways}
        for name in names:
            part._count(name)
        return part

    def graph(self, name: str, threshold: float, settings: GraphSettings) -> nx.MultiGraph:
        """The road graph of a tile, none where the truth is not known."""
        ignored = self.dataset.tile(name).mask == IGNORE
        road, directions = self.probability[name], self.directions.get(name)
        if ignored.any():
            road = np.where(ignored, np.uint8(0), road)
            directions = None if directions is None else np.where(ignored, np.uint8(0), directions)
        gsd = self.dataset.member(name).gsd
        if name in self.pairs and isinstance(settings, DecodingSettings):
            return paths_to_graph(self.pairs[name], road, threshold, gsd, settings, directions)
        return probabilities_to_graph(road, directions, threshold, gsd, settings)


def _known_only(
    probabilities: dict[str, NDArray[np.float32]], ignored: NDArray[np.bool_]
) -> dict[str, NDArray[np.float32]]:
    """Probabilities without road in ignored areas."""
    if not ignored.any():
        return probabilities
    return {task: np.where(ignored, np.float32(0), each) for task, each in probabilities.items()}


def sum_curves(curves: Iterable[ThresholdCurve]) -> ThresholdCurve:
    """The counts of several curves together."""
    total = ThresholdCurve()
    for curve in curves:
        total.road += curve.road
        total.background += curve.background
    return total


def _in_bins(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities in 1/256, rounded down."""
    return np.minimum(probability * BINS, BINS - 1).astype(np.uint8)


@dataclass(frozen=True)
class TileGraphs:
    """The true and the predicted road graph of a tile, in metres."""

    name: str
    truth: nx.MultiGraph
    proposal: nx.MultiGraph


def as_it_is(predictor: Predict, member: Member) -> Predict:
    """The same predictor for tiles of any dataset."""
    return predictor


def predict_split(
    predictor: Predict,
    dataset: PreparedDataset,
    split: str,
    with_directions: bool = False,
    adapt: Adapt = as_it_is,
    classifier: Classifier | None = None,
    attributes: Sequence[str] = (),
) -> SplitPrediction:
    """Predict every whole tile of a split, with a progress bar."""
    names = dataset.splits[split]
    return predict_tiles(
        predictor, dataset, names, split, with_directions, adapt, classifier, attributes
    )


def predict_tiles(
    predictor: Predict,
    dataset: PreparedDataset,
    names: list[str],
    what: str,
    with_directions: bool = False,
    adapt: Adapt = as_it_is,
    classifier: Classifier | None = None,
    attributes: Sequence[str] = (),
) -> SplitPrediction:
    """Predict whole tiles; the pixels of one are counted while the model predicts the next.

    Args:
        with_directions: keep the connectivity of each pixel, which some decodings need.
        adapt: the predictor for tiles of one of several datasets.
        classifier: of pairs of vertices, of which the graphs are made then.
        attributes: those of roads that the model learns, which are scored.
    """
    prediction = SplitPrediction(
        dataset, with_directions, classifier=classifier, attribute_names=tuple(attributes)
    )
    bar = tqdm(names, desc=f"{what} tiles", unit="tile", leave=False, disable=None)
    with ThreadPoolExecutor(1) as beside:
        counting: Future[None] | None = None
        for name in bar:
            seen = adapt(predictor, dataset.member(name))
            probabilities = seen(dataset.tile(name).image)
            if counting is not None:
                counting.result()
            counting = beside.submit(prediction.add, name, probabilities)
        if counting is not None:
            counting.result()
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
    """precision, recall, f1 and iou of the road class, pooled over all pixels of the split.

    With the scores of the attributes of true roads, where the model learns them.
    """
    scores = prediction.curve.confusion(threshold).scores()
    if prediction.connectivity is not None:
        scores["connectivity_iou"] = mean_class_iou(prediction.connectivity)
    return scores | prediction.attributes.scores()


def each_dataset(
    prediction: SplitPrediction,
    results: list[PairScore],
    scores: Callable[[SplitPrediction], dict[str, float]],
) -> dict[str, float]:
    """The scores of each dataset's tiles, under its name; empty with one dataset."""
    if len(prediction.curves) < 2:
        return {}
    named: dict[str, float] = {}
    for key in prediction.curves:
        own = [found for found in results if prediction.dataset.member_key(found.name) == key]
        named |= prefixed(key, {**scores(prediction.of_dataset(key)), **mean_scores(own)})
    return named


def each_city(
    prediction: SplitPrediction,
    results: list[PairScore],
    scores: Callable[[SplitPrediction], dict[str, float]],
) -> dict[str, float]:
    """The scores of each city's tiles under city/NAME, pooled as those of all tiles.

    Nothing where the tiles are not of two cities at least.
    """
    of_city: dict[str, list[PairScore]] = {}
    for result in results:
        city = prediction.dataset.cities.get(result.name, "other")
        of_city.setdefault(city, []).append(result)
    named: dict[str, float] = {}
    for city, own in sorted(of_city.items()) if len(of_city) > 1 else ():
        surface = scores(prediction.of([result.name for result in own]))
        named |= prefixed(f"city/{city}", {**surface, **mean_scores(own)})
    return named


def mean_class_iou(confusion: NDArray[np.int64]) -> float:
    """Mean IoU of the classes that occur, background excluded: from counts (K, K)."""
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


def slack_scores(prediction: SplitPrediction) -> dict[str, float]:
    """Where relaxed precision and recall of pixels meet (slack 3 px), over the whole split."""
    curve = SlackCurve()
    for name, bins in prediction.probability.items():
        mask = prediction.dataset.tile(name).mask
        curve.update(bins, mask == 1, mask == IGNORE)
    value, threshold = curve.break_even()
    return {"slack_breakeven": value, "slack_breakeven_threshold": threshold}


def decode_graphs(
    prediction: SplitPrediction, threshold: float, settings: GraphSettings
) -> list[TileGraphs]:
    """The road graph of every tile beside the true one."""
    names = tqdm(prediction.probability, desc="road graphs", unit="tile", leave=False, disable=None)
    return [_decode_graph(prediction, name, threshold, settings) for name in names]


def _decode_graph(
    prediction: SplitPrediction, name: str, threshold: float, settings: GraphSettings
) -> TileGraphs:
    proposal = prediction.graph(name, threshold, settings)
    return TileGraphs(name, prediction.dataset.graph(name), proposal)


def score_tile(
    prediction: SplitPrediction,
    name: str,
    threshold: float,
    settings: GraphSettings,
    metric: AplsSettings,
) -> PairScore:
    """Decode and score the graph of one tile."""
    return score_graphs([_decode_graph(prediction, name, threshold, settings)], metric)[0]


def score_graphs(
    graphs: list[TileGraphs], settings: AplsSettings, metrics: Sequence[str] = ("apls",)
) -> list[PairScore]:
    """Scores of each tile's graph, by the code of `roadex.score`."""
    jobs = [Job(graph.name, partial(_pair, graph)) for graph in graphs]
    return score_many(jobs, MetricSettings(apls=settings), metrics, workers=1)


def connection_scores(graphs: list[TileGraphs]) -> dict[str, float]:
    """Gaps closed in all tiles, and the share of them that join roads that are not joined in truth.

    Empty if no decoding looked for gaps.
    """
    lines = [graph.proposal.graph.get("gaps") for graph in graphs]
    if all(found is None for found in lines):
        return {}
    total = sum(len(found or []) for found in lines)
    pairs = zip(graphs, lines, strict=True)
    false = sum(count_false(graph.truth, found or []) for graph, found in pairs)
    return {"connections": total, "false_connections": false / total if total else NAN}


def _pair(graph: TileGraphs) -> tuple[nx.MultiGraph, nx.MultiGraph]:
    return graph.truth, graph.proposal


def graph_rows(graphs: list[TileGraphs], results: list[PairScore]) -> list[dict[str, Any]]:
    """A table of the tiles: name, scores, and road lengths in metres."""
    return [
        {
            "tile": graph.name,
            **result.scores,
            "true_length_m": round(total_length(graph.truth), 1),
            "proposed_length_m": round(total_length(graph.proposal), 1),
        }
        for graph, result in zip(graphs, results, strict=True)
    ]


def tile_confusion(prediction: SplitPrediction, name: str, threshold: float) -> Confusion:
    """The pixel counts of one tile."""
    truth = prediction.dataset.tile(name).mask
    return Confusion.of(truth == 1, prediction.mask(name, threshold), ignore=truth == IGNORE)


def tile_pixels(prediction: SplitPrediction, name: str, threshold: float) -> dict[str, float]:
    """Road pixels of one tile, true and proposed, and precision, recall, f1 and iou there."""
    counts = tile_confusion(prediction, name, threshold)
    return {
        "true_px": counts.true_positive + counts.false_negative,
        "proposed_px": counts.true_positive + counts.false_positive,
        **counts.scores(),
    }


def prefixed(prefix: str, scores: dict[str, float]) -> dict[str, float]:
    """Scores under `prefix/`."""
    return {f"{prefix}/{key}": value for key, value in scores.items()}
