"""Validation of a training: every tile by one process, graphs scored beside what comes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from roadex.config.graph import needs_connectivity
from roadex.config.train import TrainConfig
from roadex.data.prepared import PreparedDataset
from roadex.engine.distributed import Group
from roadex.engine.evaluation import (
    SplitPrediction,
    each_dataset,
    pixel_scores,
    predict_tiles,
    score_tile,
)
from roadex.engine.inference import Predictor, for_member
from roadex.engine.scorers import Scorers
from roadex.metrics.pixel import ThresholdCurve
from roadex.metrics.summary import PairScore, mean_scores
from roadex.runs.checkpoint import Checkpoint

SPLIT = "validation"


@dataclass(frozen=True)
class Validation:
    """One validation, whose graphs are perhaps still being scored.

    Attributes:
        threshold: of the best F1 over the pixels of the split.
        prediction: the pixel counts of all processes, at every threshold.
    """

    threshold: float
    prediction: SplitPrediction
    group: Group
    graphs: Callable[[], list[PairScore]]

    def scores(self) -> dict[str, float]:
        """All scores, the same however many processes had a part in them; waits for the graphs."""
        own = [(result.name, result.scores) for result in self.graphs()]
        everyone = [entry for part in self.group.gather(own) for entry in part]
        results = [PairScore(name, scores, {}) for name, scores in everyone]
        return {
            **pixel_scores(self.prediction, self.threshold),
            **mean_scores(results),
            **each_dataset(self.prediction, results, self._pixel_scores),
        }

    def _pixel_scores(self, prediction: SplitPrediction) -> dict[str, float]:
        return pixel_scores(prediction, self.threshold)


@dataclass(frozen=True)
class Pending:
    """A validation under way, and the network that it is of."""

    validation: Validation
    checkpoint: Checkpoint

    def kept(self) -> Pending:
        """The same with copies of the weights, which may change from now on."""
        weights = {name: value.clone() for name, value in self.checkpoint.weights.items()}
        return replace(self, checkpoint=replace(self.checkpoint, weights=weights))

    def scored(self) -> Checkpoint:
        """The network with its scores; waits for them."""
        return replace(self.checkpoint, scores=self.validation.scores())


@dataclass(frozen=True)
class Validator:
    """Starts validations, each process of the group on its part of the tiles.

    Attributes:
        scorers: processes that score the graphs.
    """

    config: TrainConfig
    dataset: PreparedDataset
    group: Group
    scorers: Scorers

    @property
    def beside(self) -> bool:
        """Whether the graphs are scored while something else goes on."""
        return self.scorers.processes > 0

    def start(self, predictor: Predictor) -> Validation:
        """Predict the tiles and begin with their graphs; the network may change from then on."""
        names = self.group.part(self.dataset.splits[SPLIT])
        directions = needs_connectivity(self.config.graph)
        own = predict_tiles(predictor, self.dataset, names, SPLIT, directions, for_member)
        pooled = self._pool(own)
        threshold = self._deciding(pooled).best_threshold()
        settings = (threshold, self.config.graph, self.config.apls)
        tasks = [partial(score_tile, own.only(name), name, *settings) for name in names]
        graphs = self.scorers.start(tasks)
        return Validation(threshold, pooled, self.group, graphs)

    def _deciding(self, pooled: SplitPrediction) -> ThresholdCurve:
        """The pixel counts that the threshold is chosen by."""
        wanted = self.config.trainer.threshold_from
        return pooled.curve if wanted == "all" else pooled.curves.get(wanted, pooled.curve)

    def _pool(self, own: SplitPrediction) -> SplitPrediction:
        """The counts of all processes together."""
        counts = {
            "curves": {
                key: [curve.road.tolist(), curve.background.tolist()]
                for key, curve in own.curves.items()
            },
            "connectivity": None if own.connectivity is None else own.connectivity.tolist(),
        }
        pooled = SplitPrediction(self.dataset)
        for part in self.group.gather(counts):
            for key, (road, background) in part["curves"].items():
                curve = pooled.curves.setdefault(key, ThresholdCurve())
                curve.road += np.array(road)
                curve.background += np.array(background)
            if part["connectivity"] is not None:
                counted = np.array(part["connectivity"], dtype=np.int64)
                before = pooled.connectivity
                pooled.connectivity = counted if before is None else before + counted
        return pooled
