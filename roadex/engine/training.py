"""The training loop: epochs, validation, the best checkpoint, and the test at the end."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader
from tqdm import tqdm

from roadex.config.root import TrainConfig
from roadex.config.store import to_plain
from roadex.data.augment import Augmentation
from roadex.data.crops import Crop, CropDataset, DrawSampler, crop_loader
from roadex.data.mixture import with_extra
from roadex.data.prepare import prepare
from roadex.data.prepared import PreparedDataset
from roadex.data.splits import split_hash
from roadex.engine.checkpoint import load_checkpoint, save_checkpoint
from roadex.engine.device import loader_count, pick_device, place, seed_everything
from roadex.engine.evaluation import (
    decode_graphs,
    pixel_scores,
    predict_split,
    prefixed,
    score_graphs,
)
from roadex.engine.inference import Predictor
from roadex.engine.learner import Learner, build_learner
from roadex.engine.loss_sums import LossSums
from roadex.engine.run_folder import RunFolder
from roadex.engine.testing import SplitReport, report_split
from roadex.metrics.summary import mean_scores
from roadex.models.registry import count_parameters
from roadex.report.curves import draw_curves
from roadex.tracking import open_tracker
from roadex.tracking.tracker import Tracker

log = logging.getLogger(__name__)


@dataclass
class Best:
    """The best validation so far, and when it was."""

    score: float = -math.inf
    epoch: int = 0
    threshold: float = 0.5


def fit(config: TrainConfig, run: RunFolder) -> dict[str, Any]:
    """Train, keep the best and the last checkpoint, test the best; returns what metrics.json says.

    Raises:
        RoadexError: unusable data, a missing device, or a loss that is not finite.
    """
    started = time.perf_counter()
    device = pick_device(config.trainer.device)
    seed_everything(config.seed)
    dataset = _prepare(config)
    loader = _open_loader(config, dataset, loader_count(config.trainer.loaders, device))
    learner = build_learner(config, dataset, device, epoch_steps=len(loader))
    log.info(
        "%s on %s: %s parameters, %d steps an epoch",
        config.model.name,
        device,
        f"{count_parameters(learner.model):,}",
        len(loader),
    )
    with open_tracker(config.tracking, to_plain(config), run.path, "train") as tracker:
        best = _train_epochs(learner, loader, run, tracker)
        report = _test_best(learner, run)
        metrics = _metrics(learner, best, report, time.perf_counter() - started)
        run.write_metrics(metrics)
        draw_curves(run.path / "history.csv", run.path / "curves.png")
        _track_test(tracker, learner.step, metrics, report)
    return metrics


def _prepare(config: TrainConfig) -> PreparedDataset:
    classes = config.model.connectivity_classes
    dataset = prepare(config.dataset, classes, log.info)
    if config.extra is None:
        return dataset
    return with_extra(dataset, prepare(config.extra, classes, log.info))


def _open_loader(config: TrainConfig, dataset: PreparedDataset, workers: int) -> DataLoader[Crop]:
    data = config.dataset
    augmentation = Augmentation(config.augment)
    crops = CropDataset(dataset, data.crop, augmentation, config.seed)
    pin = config.trainer.device != "cpu" and workers > 0
    return crop_loader(crops, config.trainer.batch_size, workers, pin)


def _train_epochs(
    learner: Learner, loader: DataLoader[Crop], run: RunFolder, tracker: Tracker
) -> Best:
    """Epochs until the last, or until `patience` of them bring no better score."""
    trainer = learner.config.trainer
    best = Best()
    for epoch in range(1, trainer.epochs + 1):
        row = {"epoch": epoch, "lr": learner.lr, **_train_epoch(learner, loader, epoch)}
        if epoch % trainer.validate_every == 0 or epoch == trainer.epochs:
            row |= _validate(learner, epoch, best, run)
        row["step"] = learner.step
        run.add_history(row)
        tracker.log(row, learner.step)
        _tell(row, best)
        last = learner.checkpoint(best.threshold, epoch, {})
        save_checkpoint(run.last, last, learner.state())
        if trainer.patience and epoch - best.epoch >= trainer.patience:
            log.info("no better %s for %d epochs: stopping", trainer.monitor, trainer.patience)
            break
    return best


def _train_epoch(learner: Learner, loader: DataLoader[Crop], epoch: int) -> dict[str, float]:
    """One pass over the epoch's crops; mean losses, images per second and seconds."""
    sampler = loader.batch_sampler
    assert isinstance(sampler, DrawSampler)
    sampler.epoch = epoch - 1
    learner.model.train()
    sums = LossSums()
    started = time.perf_counter()
    progress = tqdm(loader, desc=f"epoch {epoch}", unit="batch", leave=False, disable=None)
    for batch in progress:
        sums.add(learner.learn(batch))
        if len(sums) % learner.descent.check_every == 0:
            progress.set_postfix(loss=f"{sums.means()['total']:.3f}")
    losses = {f"loss/{name}": value for name, value in sums.means().items()}
    seconds = time.perf_counter() - started
    rate = len(loader) * sampler.batch_size / seconds
    return {**losses, "images_per_s": round(rate, 2), "seconds": round(seconds, 2)}


def _validate(learner: Learner, epoch: int, best: Best, run: RunFolder) -> dict[str, float]:
    """Score the validation split at its own best threshold; keep the network if it is the best."""
    config = learner.config
    prediction = predict_split(learner.predictor(), learner.dataset, "validation")
    threshold = prediction.curve.best_threshold()
    graphs = decode_graphs(prediction, threshold, config.graph)
    results = score_graphs(graphs, config.apls)
    scores = {**pixel_scores(prediction, threshold), **mean_scores(results)}
    score = scores[config.trainer.monitor]
    if score > best.score:
        best.score, best.epoch, best.threshold = score, epoch, threshold
        save_checkpoint(run.best, learner.checkpoint(threshold, epoch, scores), None)
    return {**prefixed("validation", scores), "validation/threshold": threshold}


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
        config.graph,
        config.apls,
        run.overlays,
        config.trainer.overlays,
    )


def _metrics(learner: Learner, best: Best, report: SplitReport, seconds: float) -> dict[str, Any]:
    """The scores with everything that they mean nothing without."""
    config = learner.config
    return {
        **prefixed("test", report.scores),
        "test/tiles": len(learner.dataset.splits["test"]),
        "threshold": best.threshold,
        "threshold_from": "validation",
        "best_epoch": best.epoch,
        f"best_validation/{config.trainer.monitor}": best.score,
        "parameters": count_parameters(learner.model),
        "seed": config.seed,
        "split_hash": split_hash(learner.dataset.splits),
        "gsd_m": config.dataset.gsd,
        "steps": learner.step,
        "seconds": round(seconds, 1),
    }


def _track_test(tracker: Tracker, step: int, metrics: dict[str, Any], report: SplitReport) -> None:
    tracker.summary(metrics)
    tracker.table("test/graphs", report.rows, step)
    tracker.pictures("test/overlays", report.pictures, step)


def _tell(row: dict[str, float], best: Best) -> None:
    line = f"epoch {row['epoch']:>3.0f}  loss {row['loss/total']:.3f}"
    if "validation/f1" in row:
        shown = ("precision", "recall", "f1", "iou", "apls")
        line += "  validation " + " ".join(f"{k} {row[f'validation/{k}']:.3f}" for k in shown)
        line += "  *" if best.epoch == row["epoch"] else ""
    log.info("%s  (%.1f images/s)", line, row["images_per_s"])
