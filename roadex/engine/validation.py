"""Validation of a training: every tile is scored by one process.

Graphs are decoded and scored in separate processes while the model continues.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.process import BaseProcess
from typing import TypeVar

import numpy as np
import torch

from roadex.config.graph import needs_connectivity, with_chance
from roadex.config.labels import IGNORE
from roadex.config.model import learnt_attributes
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
from roadex.engine.pair_classifier import PairClassifier
from roadex.errors import RoadexError
from roadex.losses.pairs import keypoints
from roadex.metrics.attributes import AttributeCounts
from roadex.metrics.pixel import ThresholdCurve
from roadex.metrics.summary import PairScore, mean_scores
from roadex.models.contract import EVIDENCE
from roadex.models.sam_road import TopologyHead
from roadex.parallel import settle_in_deaf
from roadex.runs.checkpoint import Checkpoint

log = logging.getLogger(__name__)
SPLIT = "validation"
RESTARTS = 3
CHANCES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)


def _rank(score: float) -> float:
    """The score for comparing; NaN, of a split without tiles to score, ranks lowest."""
    return -1.0 if math.isnan(score) else score


@dataclass(frozen=True)
class Validation:
    """One validation, whose graphs are perhaps still being scored.

    Attributes:
        threshold: of the best F1 over the pixels of the split.
        prediction: the pixel counts of all processes, at every threshold.
        graphs: the scores of each tile's graphs, one for each of `chances`, tile by tile.
        chances: of pairs of vertices, that a road is made from.
    """

    threshold: float
    prediction: SplitPrediction
    group: Group
    graphs: Callable[[], list[PairScore]]
    chances: tuple[float | None, ...] = (None,)

    def scores(self) -> tuple[dict[str, float], float | None]:
        """All scores, independent of the number of processes; waits for the graphs.

        Returns:
            The scores, and the best of the `chances` by APLS.
        """
        own = [(result.name, result.scores) for result in self.graphs()]
        everyone = self.group.gather(own)
        tried = []
        for index, chance in enumerate(self.chances):
            results = [
                PairScore(name, scores, {})
                for part in everyone
                for name, scores in part[index :: len(self.chances)]
            ]
            tried.append((mean_scores(results), results, chance))
        graphs, results, chance = max(tried, key=lambda each: _rank(each[0].get("apls", 0.0)))
        scores = {
            **pixel_scores(self.prediction, self.threshold),
            **graphs,
            **each_dataset(self.prediction, results, self._pixel_scores),
        }
        return scores, chance

    def _pixel_scores(self, prediction: SplitPrediction) -> dict[str, float]:
        return pixel_scores(prediction, self.threshold)


@dataclass(frozen=True)
class Pending:
    """A validation in progress, and its model."""

    validation: Validation
    checkpoint: Checkpoint

    def kept(self) -> Pending:
        """The same with copies of the weights, which may then change."""
        weights = {name: value.clone() for name, value in self.checkpoint.weights.items()}
        return replace(self, checkpoint=replace(self.checkpoint, weights=weights))

    def scored(self) -> Checkpoint:
        """The model with its scores; waits for them."""
        scores, chance = self.validation.scores()
        return replace(self.checkpoint, scores=scores, chance=chance)


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
        """Whether the graphs are scored in the background."""
        return self.scorers.processes > 0

    def start(self, predictor: Predictor) -> Validation:
        """Predict the tiles and begin with their graphs; after that the model may change."""
        names = self.group.part(self.dataset.splits[SPLIT])
        directions = needs_connectivity(self.config.graph)
        classifier = PairClassifier.wanted(
            predictor.model, predictor.device, self.config.graph.decoder
        )
        if classifier is not None and isinstance(classifier.head, TopologyHead):
            self._choose_thresholds(predictor, classifier.head, names)
        attributes = learnt_attributes(self.config.model)
        own = predict_tiles(
            predictor, self.dataset, names, SPLIT, directions, for_member, classifier, attributes
        )
        pooled = self._pool(own)
        threshold = self._deciding(pooled).best_threshold()
        chances = self._chances(classifier)
        decodings = [with_chance(self.config.graph, chance) for chance in chances]
        tasks = [
            partial(score_tile, own.only([name]), name, threshold, decoding, self.config.apls)
            for name in names
            for decoding in decodings
        ]
        graphs = self.scorers.start(tasks)
        return Validation(threshold, pooled, self.group, graphs, chances)

    def _choose_thresholds(
        self, predictor: Predictor, head: TopologyHead, names: list[str]
    ) -> None:
        """Those of points of the head, in place: of the best F1 of either map over the split."""
        curves = ThresholdCurve(), ThresholdCurve()
        for name in names:
            tile = self.dataset.tile(name)
            found = for_member(predictor, self.dataset.member(name))(tile.image)
            nodes = keypoints(torch.tensor(tile.connectivity)).numpy()
            curves[0].update(found[EVIDENCE][0], nodes, tile.connectivity == IGNORE)
            curves[1].update(found["segmentation"][1], tile.mask == 1, tile.mask == IGNORE)
        own = [[curve.road.tolist(), curve.background.tolist()] for curve in curves]
        counts = np.sum([np.array(part, dtype=np.int64) for part in self.group.gather(own)], axis=0)
        chosen = [ThresholdCurve(*count).best_threshold() for count in counts]
        head.thresholds.copy_(torch.tensor(chosen))

    def _chances(self, classifier: PairClassifier | None) -> tuple[float | None, ...]:
        """The chances to choose from, or the one that is set."""
        given = self.config.graph.paths.chance
        return CHANCES if classifier is not None and given is None else (given,)

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
            "attributes": own.attributes.plain(),
        }
        pooled = SplitPrediction(self.dataset)
        for part in self.group.gather(counts):
            for key, (road, background) in part["curves"].items():
                curve = pooled.curves.setdefault(key, ThresholdCurve())
                curve.road += np.array(road)
                curve.background += np.array(background)
            pooled.attributes += AttributeCounts.of_plain(part["attributes"])
            if part["connectivity"] is not None:
                counted = np.array(part["connectivity"], dtype=np.int64)
                pooled.ways["all"] = pooled.ways.get("all", np.int64(0)) + counted
        return pooled


Result = TypeVar("Result")
Task = Callable[[], Result]


class Scorers:
    """Runs tasks in the background, in the order given; without processes, when asked for results.

    The processes are spawned at the first task, since forking a process with threads may hang. They
    import what the tasks need, which should not include torch. When one dies, idle or busy, all are
    replaced, and what they had not answered is done again.
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._running: set[BaseProcess] = set()

    def start(self, tasks: Sequence[Task[Result]]) -> Callable[[], list[Result]]:
        """Begin the tasks; the returned function waits for their results, in order.

        Raises (from the returned function):
            RoadexError: processes keep dying.
        """
        if not self.processes:
            return lambda: [task() for task in tasks]
        futures = self._submit(tasks)
        return lambda: self._results(tasks, futures)

    def __enter__(self) -> Scorers:
        """Nothing yet: see `start`."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes."""
        self.close()

    def close(self) -> None:
        """End the processes; tasks that are not done are dropped.

        They are killed: if one has died while it read from their queue, the others wait for ever.
        """
        for process in self._running:
            process.kill()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool, self._running = None, set()

    def _submit(self, tasks: Sequence[Task[Result]]) -> list[Future[Result]]:
        """Hand the tasks to the processes, to new ones where one has died."""
        if self._pool is not None:
            try:
                return [self._pool.submit(task) for task in tasks]
            except BrokenExecutor:
                log.warning("a process that scores graphs has died: starting new ones")
                self.close()
        before = set(multiprocessing.active_children())
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(self.processes, context, initializer=settle_in_deaf)
        futures = [self._pool.submit(task) for task in tasks]
        self._running = set(multiprocessing.active_children()) - before
        return futures

    def _results(
        self, tasks: Sequence[Task[Result]], futures: list[Future[Result]]
    ) -> list[Result]:
        results: list[Result] = []
        for _ in range(RESTARTS + 1):
            try:
                while len(results) < len(tasks):
                    results.append(futures[len(results)].result())
                return results
            except BrokenExecutor:
                done = len(results)
                futures = [*futures[:done], *self._submit(tasks[done:])]
        raise RoadexError(
            "the processes that score graphs keep dying, perhaps from lack of memory: set "
            "trainer.scorers=0; the same command continues"
        )
