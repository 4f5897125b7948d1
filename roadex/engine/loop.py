"""The training loop: epochs of steps, each epoch validated, its state kept to continue from."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from roadex.data.crops import Crop
from roadex.engine.batches import Batches
from roadex.engine.checkpoint import (
    Checkpoint,
    checkpoint_content,
    load_checkpoint,
    save_checkpoint,
)
from roadex.engine.descent import NotFiniteError
from roadex.engine.evaluation import prefixed, validation_scores
from roadex.engine.guards import explain_memory, keep_batch
from roadex.engine.learner import Learner
from roadex.engine.loss_sums import LossSums
from roadex.engine.progress import Best, Progress
from roadex.engine.random_state import random_state, restore_random_state
from roadex.engine.run_folder import RunFolder
from roadex.engine.stop_signals import StopSignals
from roadex.errors import DataError, Preempted, RoadexError
from roadex.tracking.tracker import Tracker

log = logging.getLogger(__name__)
LESS_MEMORY = "lower trainer.batch_size or dataset.crop, raise trainer.accumulate, or set bf16"


@dataclass
class TrainingLoop:
    """Trains from where `progress` is to the last epoch, or until `patience` of them were in vain.

    Whatever interrupts it, the state that it saves is one between two steps.
    """

    learner: Learner
    batches: Batches
    run: RunFolder
    tracker: Tracker
    stop: StopSignals
    progress: Progress = field(default_factory=Progress)
    started: float = field(default_factory=time.perf_counter)

    def train(self) -> Best:
        """All epochs that remain; returns the best.

        Raises:
            RoadexError: data that became unreadable, memory or a disk that is too small, or a loss
                that is not finite.
            Preempted: a signal asked to leave.
        """
        try:
            while not self._is_over():
                with explain_memory(LESS_MEMORY):
                    self._learn_epoch()
                self._close_epoch()
        except (Preempted, DataError):
            self.save()
            raise
        except NotFiniteError as error:
            raise RoadexError(f"{error}; see {self._keep_bad_batch(error)}") from error
        save_checkpoint(
            self.run.last,
            self.learner.checkpoint(self.progress.best.threshold, self.progress.epoch - 1, {}),
        )
        return self.progress.best

    def _is_over(self) -> bool:
        trainer, progress = self.learner.config.trainer, self.progress
        in_vain = progress.epoch - 1 - progress.best.epoch
        if progress.epoch > trainer.epochs:
            return True
        if trainer.patience and in_vain >= trainer.patience:
            log.info("no better %s for %d epochs: stopping", trainer.monitor, trainer.patience)
            return True
        return False

    def _learn_epoch(self) -> None:
        """The batches of the epoch that remain."""
        progress, every = self.progress, self.learner.config.trainer.save_steps
        if progress.batch == 0:
            progress.lr = self.learner.lr
        self.learner.model.train()
        before = time.perf_counter()
        for batch in self._shown(self.batches.of_epoch(progress.epoch, progress.batch)):
            progress.losses.add(self.learner.learn(batch))
            now = time.perf_counter()
            progress.learning_s += now - before
            before = now
            self.stop.check()
            if every and self.learner.step % every == 0:
                self.save()
        self.learner.descent.check()
        progress.learning_s += time.perf_counter() - before

    def _keep_bad_batch(self, error: NotFiniteError) -> Path:
        """Write the batch whose loss was not finite, which a GPU tells some steps later."""
        later = self.learner.step - error.step
        number = self.progress.batch - later
        batch = next(self.batches.of_epoch(self.progress.epoch, number))
        draws = self.batches.draws(self.progress.epoch, number)
        return keep_batch(self.run.path, batch, draws, error.step)

    def _close_epoch(self) -> None:
        """Validate, keep what is best, and write the epoch down."""
        trainer, progress, epoch = self.learner.config.trainer, self.progress, self.progress.epoch
        row = {"epoch": epoch, "lr": progress.lr, **_named(progress.losses)}
        images = progress.batch * self.batches.batch_size
        row["images_per_s"] = round(images / progress.learning_s, 2)
        row["seconds"] = round(progress.learning_s, 2)
        if epoch % trainer.validate_every == 0 or epoch == trainer.epochs:
            row |= self._validate()
        row["step"] = self.learner.step
        progress.close_epoch(row)
        self.run.write_history(progress.rows)
        self.tracker.log(row, self.learner.step)
        _tell(row, progress.best)
        self.save()

    def _validate(self) -> dict[str, float]:
        """Score the validation split at its own best threshold; keep the network if it is best."""
        config, progress = self.learner.config, self.progress
        with self.stop.interruptible(), explain_memory("lower trainer.inference.window"):
            threshold, scores = validation_scores(
                self.learner.predictor(), self.learner.dataset, config
            )
        score = scores[config.trainer.monitor]
        if score > progress.best.score:
            progress.best = Best(score, progress.epoch, threshold)
            save_checkpoint(self.run.best, self._checkpoint(scores))
        return {**prefixed("validation", scores), "validation/threshold": threshold}

    def save(self) -> None:
        """Keep all that the training needs to go on from here as if it had never stopped.

        Raises:
            RoadexError: it cannot be written; what was kept before still is.
        """
        state = {
            "learner": self.learner.state(),
            "progress": {**self.progress.state(), "total_s": self.seconds},
            "random": random_state(),
        }
        content = checkpoint_content(self._checkpoint(), state)
        self.run.snapshots.save(content, self.progress.epoch, self.progress.batch)

    def resume(self) -> None:
        """Go to the newest state that was saved, if there is one. To be called before `train`.

        Raises:
            RoadexError: the best checkpoint, which belongs to it, is gone or damaged.
        """
        newest = self.run.snapshots.newest()
        if newest is None:
            return
        path, content = newest
        state = content["state"]
        self.learner.restore(state["learner"])
        self.progress.restore(state["progress"])
        restore_random_state(state["random"])
        self._adopt_best()
        self.run.write_history(self.progress.rows)
        log.info("continuing at step %d from %s", self.learner.step, path.name)

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of the training, in all its processes."""
        return self.progress.total_s + time.perf_counter() - self.started

    def _adopt_best(self) -> None:
        """The best checkpoint may be of a validation that came after the saved state."""
        if not self.run.best.is_file() and not self.progress.best.epoch:
            return
        best = load_checkpoint(self.run.best)
        score = best.scores[self.learner.config.trainer.monitor]
        self.progress.best = Best(score, best.epoch, best.threshold)

    def _checkpoint(self, scores: dict[str, float] | None = None) -> Checkpoint:
        progress = self.progress
        return self.learner.checkpoint(progress.best.threshold, progress.epoch, scores or {})

    def _shown(self, batches: Iterator[Crop]) -> Iterator[Crop]:
        """The same batches, with a progress bar of the epoch."""
        progress = self.progress
        bar = tqdm(
            batches, f"epoch {progress.epoch}", len(self.batches), False, initial=progress.batch,
            unit="batch", disable=None,
        )  # fmt: skip
        for batch in bar:
            yield batch
            if progress.batch % self.learner.descent.check_every == 0:
                bar.set_postfix(loss=f"{progress.losses.means()['total']:.3f}")


def _named(losses: LossSums) -> dict[str, float]:
    return {f"loss/{name}": value for name, value in losses.means().items()}


def _tell(row: dict[str, float], best: Best) -> None:
    line = f"epoch {row['epoch']:>3.0f}  loss {row['loss/total']:.3f}"
    if "validation/f1" in row:
        shown = ("precision", "recall", "f1", "iou", "apls")
        line += "  validation " + " ".join(f"{k} {row[f'validation/{k}']:.3f}" for k in shown)
        line += "  *" if best.epoch == row["epoch"] else ""
    log.info("%s  (%.1f images/s)", line, row["images_per_s"])
