"""A whole training: data, model, the loop, and the test of the best model at the end."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch.utils.data import DataLoader

from roadex.config.backbone import TimmBackboneConfig
from roadex.config.graph import with_chance
from roadex.config.labels import ATTRIBUTE_NAMES
from roadex.config.model import learnt_attributes
from roadex.config.schemas import to_plain
from roadex.config.train import TrainConfig
from roadex.data.augment import Augmentation
from roadex.data.combined import prepare_combined, settings_of
from roadex.data.crops import Crop, CropDataset, crop_loader
from roadex.data.manifest import require_attributes
from roadex.data.prepared import MAIN, PreparedDataset
from roadex.data.sources.folder import located
from roadex.data.splits import pool_hash, split_hash
from roadex.engine.batches import Batches
from roadex.engine.device import (
    loader_count,
    pick_device,
    place,
    seed_everything,
    settled_precision,
)
from roadex.engine.distributed import Group
from roadex.engine.evaluation import prefixed
from roadex.engine.inference import Predictor
from roadex.engine.learner import Learner, build_learner, load_initial
from roadex.engine.loop import TrainingLoop
from roadex.engine.pair_classifier import PairClassifier
from roadex.engine.progress import Best, LossSums, Progress
from roadex.engine.signals import StopSignals
from roadex.engine.testing import SplitReport, confusion_of, report_split
from roadex.engine.validation import Scorers, Validator
from roadex.errors import RoadexError
from roadex.models.backbones.weights import input_normalization
from roadex.models.registry import build_model, count_macs, count_parameters
from roadex.plots.curves import draw_curves
from roadex.runs.environment import dataset_facts
from roadex.runs.folder import RunFolder
from roadex.runs.load import load_checkpoint
from roadex.tracking import open_tracker
from roadex.tracking.tracker import NoTracker, Tracker

log = logging.getLogger(__name__)


def fit(
    config: TrainConfig, run: RunFolder, stop: StopSignals, group: Group
) -> dict[str, Any] | None:
    """Train, keep the best and the last checkpoint, test the best; returns the content of
    metrics.json.

    If the folder holds an interrupted training, it is continued. Of the processes of a group only
    the leader tests; the others return None.

    Raises:
        RoadexError: unusable data, a missing device, or a training that cannot continue.
        Preempted: a signal asked to leave; the state is saved.
    """
    config = _located(config)
    learner, batches = open_training(config, stop, group)
    facts = dataset_facts(learner.dataset)
    precision = learner.config.trainer.precision.value
    run.add_to_environment(
        {"device": str(learner.device), "precision": precision, "dataset": facts}
    )
    with closing(batches), ExitStack() as ended:
        with stop.interruptible():  # a server may take its time
            tracker = ended.enter_context(_open_tracker(run))
        with Scorers(loader_count(config.trainer.scorers, learner.device)) as scorers:
            validator = Validator(config, learner.dataset, group, scorers)
            progress = Progress(losses=LossSums(group))
            loop = TrainingLoop(learner, batches, run, tracker, stop, validator, progress=progress)
            loop.resume()
            best = loop.train()
        if not group.leads:
            return None
        with stop.interruptible():
            report = _test_best(learner, run)
        metrics = _metrics(learner, best, report, loop.seconds)
        draw_curves(run.path / "history.csv", run.path / "curves.png")
        run.write_tiles(report.rows)
        run.finish(metrics)  # before the tracker, which may fail or be slow
        _track_test(tracker, learner.step, metrics, report)
    return metrics


def _located(config: TrainConfig) -> TrainConfig:
    """The settings with the location and pixel size of every dataset filled in."""
    others = {}
    for name, other in config.datasets.items():
        with settings_of(name):
            others[name] = located(other)
    return replace(config, dataset=located(config.dataset), datasets=others)


def open_training(config: TrainConfig, stop: StopSignals, group: Group) -> tuple[Learner, Batches]:
    """A new model and the batches to train on; raises as `fit`."""
    config = _located(config)
    device = pick_device(config.trainer.device, group.local_rank)
    precision = settled_precision(config.trainer.precision, device)
    config = replace(config, trainer=replace(config.trainer, precision=precision))
    seed_everything(config.seed)
    _check_datasets(config)
    _check_model(config)
    with group.leader_first(), stop.interruptible():
        dataset = _prepare(config)
    workers = loader_count(config.trainer.num_workers, device)
    batches = Batches(lambda: _open_loader(config, dataset, workers, group))
    learner = build_learner(config, dataset, device, len(batches), group)
    parameters = f"{count_parameters(learner.model):,}"
    what = (config.model.name, device, precision.value, parameters, len(batches))
    log.info("%s on %s in %s: %s parameters, %d steps an epoch", *what)
    return learner, batches


def _check_datasets(config: TrainConfig) -> None:
    scored = [name for name, other in config.datasets.items() if "validation" in other.use]
    known = ["all", MAIN, *scored]
    if config.trainer.threshold_from not in known:
        raise RoadexError(
            f"trainer.threshold_from={config.trainer.threshold_from}: one of {', '.join(known)}"
        )
    if MAIN in config.datasets or "all" in config.datasets:
        raise RoadexError("datasets: `main` and `all` are reserved: choose other names")


def _check_model(config: TrainConfig) -> None:
    """Build the model once and read `init`, so that errors in them are reported at once.

    Raises:
        RoadexError: no such backbone, weights that do not fit, or no such checkpoint.
    """
    with torch.random.fork_rng(devices=[]):
        model = build_model(config.model, config.backbone)
    if config.init is not None:
        load_initial(model, config.init)
    if config.trainer.only_pairs and not (config.model.paths and config.init):
        raise RoadexError(
            "trainer.only_pairs=true needs a trained model: set init=CHECKPOINT and "
            "model.paths=true"
        )
    unknown = set(config.model.attribute_names) - set(ATTRIBUTE_NAMES)
    if config.model.attributes and (unknown or not config.model.attribute_names):
        raise RoadexError(
            f"model.attribute_names={config.model.attribute_names}: choose from "
            f"{', '.join(ATTRIBUTE_NAMES)}"
        )
    if config.model.name == "deeplabv3plus":
        micro_batches = config.trainer.accumulate
        if config.trainer.batch_size // micro_batches < 2:
            raise RoadexError(
                "model=deeplabv3plus: batch norm of its pooled branch needs two crops at a time: "
                f"set trainer.batch_size={2 * micro_batches} or more"
            )


def _open_tracker(run: RunFolder) -> AbstractContextManager[Tracker]:
    if not run.writes:
        return nullcontext(NoTracker())
    return open_tracker(run.config.tracking, to_plain(run.config), run.path, "train")


def _prepare(config: TrainConfig) -> PreparedDataset:
    model = config.model
    dataset = prepare_combined(
        config.dataset, config.datasets, model.connectivity_classes, log.info, model.attributes
    )
    require_attributes(dataset, learnt_attributes(config.model))
    dataset = _normalized(config, dataset)
    return dataset.first_tiles() if config.trainer.dry_run else dataset


def _normalized(config: TrainConfig, dataset: PreparedDataset) -> PreparedDataset:
    """The dataset with the normalisation that pretrained weights expect, unless one was set.

    Bands that the weights do not know keep the statistics of the training tiles.
    """
    backbone = config.backbone
    if not isinstance(backbone, TimmBackboneConfig) or config.dataset.mean is not None:
        return dataset
    expected = input_normalization(backbone)
    if expected is None:
        return dataset
    mean, std = expected
    known = len(mean)
    return replace(dataset, mean=mean + dataset.mean[known:], std=std + dataset.std[known:])


def _open_loader(
    config: TrainConfig, dataset: PreparedDataset, workers: int, group: Group
) -> DataLoader[Crop]:
    data = config.dataset
    augmentation = Augmentation(config.augment)
    directions = config.model.orientation_bins > 0
    crops = CropDataset(
        dataset,
        data.crop,
        augmentation,
        config.seed,
        directions,
        config.model.paths,
        learnt_attributes(config.model),
    )
    pin = torch.cuda.is_available() and workers > 0
    trainer = config.trainer
    # Processes that synchronise batch norms must compute as many micro-batches as each other.
    wanted = group.size * trainer.accumulate if group.size > 1 else 1
    if min(trainer.batch_size, len(crops)) < wanted:
        raise RoadexError(
            f"a batch of {min(trainer.batch_size, len(crops))} has fewer images than the "
            f"{group.size} processes have micro-batches ({wanted}): raise trainer.batch_size, "
            "lower trainer.accumulate or start fewer (torchrun --nproc-per-node)"
        )
    only = trainer.overfit_batches
    return crop_loader(crops, trainer.batch_size, workers, pin, only, group.part)


def _test_best(learner: Learner, run: RunFolder) -> SplitReport:
    """Score the best checkpoint on the test split at the threshold chosen on validation."""
    config = learner.config
    checkpoint = load_checkpoint(run.best)
    model = place(checkpoint.build(), learner.device, config.trainer.channels_last)
    predictor = Predictor(
        model,
        learner.device,
        checkpoint.mean,
        checkpoint.std,
        config.trainer.inference,
        config.trainer.precision,
    )
    return report_split(
        predictor,
        learner.dataset,
        "test",
        checkpoint.threshold,
        with_chance(config.graph, checkpoint.chance),
        config.apls,
        run.overlays,
        config.trainer.overlays,
        PairClassifier.wanted(model, learner.device, config.graph.decoder),
        learnt_attributes(config.model),
    )


def _metrics(learner: Learner, best: Best, report: SplitReport, seconds: float) -> dict[str, Any]:
    """The scores with what is needed to interpret them."""
    config = learner.config
    return {
        **prefixed("test", report.scores),
        "test/tiles": len(learner.dataset.splits["test"]),
        "threshold": best.threshold,
        "threshold_from": "validation",
        "best_epoch": best.epoch,
        f"best_validation/{config.trainer.monitor}": best.score,
        "parameters": count_parameters(learner.model),
        "macs_512": count_macs(learner.model, bands=config.backbone.bands),
        "seed": config.seed,
        "split_hash": split_hash(learner.dataset.splits),
        "pool_hash": pool_hash(learner.dataset.splits),
        "gsd_m": config.dataset.gsd,
        "steps": learner.step,
        "seconds": round(seconds, 1),
        **confusion_of(report),
    }


def _track_test(tracker: Tracker, step: int, metrics: dict[str, Any], report: SplitReport) -> None:
    tracker.summary(metrics)
    tracker.table("test/graphs", report.rows, step)
    tracker.pictures("test/overlays", report.pictures, step)
