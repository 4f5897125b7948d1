"""The training loop: epochs of steps, each epoch validated, its state saved for resuming."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from roadex.data.crops import Crop
from roadex.engine.batches import Batches, explain_memory, keep_batch
from roadex.engine.device import random_state, restore_random_state
from roadex.engine.evaluation import prefixed
from roadex.engine.learner import Learner
from roadex.engine.optimization import NotFiniteError
from roadex.engine.progress import Best, LossSums, Progress
from roadex.engine.signals import StopSignals
from roadex.engine.validation import Pending, Validator
from roadex.errors import DataError, Preempted, RoadexError
from roadex.runs.checkpoint import Checkpoint, checkpoint_content
from roadex.runs.folder import RunFolder
from roadex.runs.load import load_checkpoint
from roadex.tracking.tracker import Tracker

log = logging.getLogger(__name__)
LESS_MEMORY = "lower trainer.batch_size or dataset.crop, raise trainer.accumulate, or set bf16"


@dataclass
class TrainingLoop:
    """Trains from where `progress` is to the last epoch, or until `patience` epochs bring no gain.

    However it is interrupted, it saves a state between two steps. The graphs of a validation are
    scored during the next epoch, if there are processes for that; what depends on the scores waits,
    so that the result does not depend on how long they take.
    """

    learner: Learner
    batches: Batches
    run: RunFolder
    tracker: Tracker
    stop: StopSignals
    validator: Validator
    pending: Pending | None = None
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
                    self.learn_epoch()
                self._close_epoch()
        except (Preempted, DataError) as error:
            # All processes leave together; the data may have failed in one of them only.
            if isinstance(error, Preempted) or self.learner.group.size == 1:
                self._settle()
                self.save()
            raise
        except NotFiniteError as error:
            raise RoadexError(f"{error}; see {self._keep_bad_batch(error)}") from error
        last = self.learner.checkpoint(self.progress.best.threshold, self.progress.epoch - 1, {})
        self.run.write_checkpoint(self.run.last, last)
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

    def learn_epoch(self) -> None:
        """The batches of the epoch that remain."""
        progress, every = self.progress, self.learner.config.trainer.save_steps
        if progress.batch == 0:
            progress.lr = self.learner.lr
        self.learner.train(progress.epoch)
        before = time.perf_counter()
        for batch in self._shown(self.batches.of_epoch(progress.epoch, progress.batch)):
            progress.losses.add(self.learner.learn(batch))
            now = time.perf_counter()
            progress.learning_s += now - before
            before = now
            self._leave_if_asked()
            if every and self.learner.step % every == 0:
                self._settle()
                self.save()
        self.learner.optimizer_step.check()
        progress.learning_s += time.perf_counter() - before

    def _leave_if_asked(self) -> None:
        """Let all processes leave after the same step, whichever got the signal."""
        if self.learner.group.any(bool(self.stop.asked)):
            raise Preempted(self.stop.asked or "a signal to another process")

    def _interruptible(self) -> AbstractContextManager[None]:
        """A block that can be left anywhere, unless other processes would wait for this one."""
        return self.stop.interruptible() if self.learner.group.size == 1 else nullcontext()

    def _keep_bad_batch(self, error: NotFiniteError) -> Path:
        """Write the batch whose loss was not finite, which is noticed some steps later on a GPU."""
        later = self.learner.step - error.step
        number = self.progress.batch - later
        draws = self.batches.draws(self.progress.epoch, number)
        if not self.run.writes:
            return self.run.path
        return keep_batch(self.run.path, self.batches.cut(draws), draws, error.step)

    def _close_epoch(self) -> None:
        """Validate the model after the epoch, and record the epoch."""
        self._settle()
        trainer, progress, epoch = self.learner.config.trainer, self.progress, self.progress.epoch
        row = {"epoch": epoch, "lr": progress.lr, **_named(progress.losses)}
        images = progress.batch * self.batches.batch_size
        row["images_per_s"] = round(images / progress.learning_s, 2)
        row["seconds"] = round(progress.learning_s, 2)
        row["step"] = self.learner.step
        progress.close_epoch(row)
        if epoch % trainer.validate_every == 0 or epoch == trainer.epochs:
            self._validate()
        else:
            self._publish()
        self.save()

    def _validate(self) -> None:
        """Score the model after the last whole epoch, perhaps during the next one."""
        progress, trainer = self.progress, self.learner.config.trainer
        epoch, progress.unscored = progress.epoch - 1, True
        with self._interruptible(), explain_memory("lower trainer.inference.window"):
            validation = self.validator.start(self.learner.predictor())
        checkpoint = self.learner.checkpoint(validation.threshold, epoch, {})
        self.pending = Pending(validation, checkpoint)
        last_chance = trainer.patience and epoch - progress.best.epoch >= trainer.patience
        if not self.validator.beside or last_chance or epoch == trainer.epochs:
            self._settle()
        else:
            self.pending = self.pending.kept()

    def _settle(self) -> None:
        """Wait for the scores that are due; keep their model if it is the best."""
        if self.pending is None:
            return
        progress, pending = self.progress, self.pending
        checkpoint = pending.scored()
        score = checkpoint.scores[self.learner.config.trainer.monitor]
        if score > progress.best.score:
            progress.best = Best(score, checkpoint.epoch, checkpoint.threshold)
            self.run.write_checkpoint(self.run.best, checkpoint)
        progress.rows[-1] |= {
            **prefixed("validation", checkpoint.scores),
            "validation/threshold": checkpoint.threshold,
        }
        self.pending, progress.unscored = None, False
        self._publish()

    def _publish(self) -> None:
        """Log the last row, which is complete."""
        row = self.progress.rows[-1]
        self.run.write_history(self.progress.rows)
        self.tracker.log(row, int(row["step"]))
        _tell(row, self.progress.best)

    def save(self) -> None:
        """Save everything that the training needs to continue as if it had never stopped.

        Raises:
            RoadexError: it cannot be written; what was saved before is still there.
        """
        state = {
            "learner": self.learner.state(),
            "progress": {**self.progress.state(), "total_s": self.seconds},
            "random": random_state(),
        }
        content = checkpoint_content(self._checkpoint(), state)
        self.run.write_snapshot(content, self.progress.epoch, self.progress.batch)

    def resume(self) -> None:
        """Restore the newest saved state, if there is one. To be called before `train`.

        Raises:
            RoadexError: the best checkpoint, which belongs to it, is gone or damaged.
        """
        with self.learner.group.leader_first():
            newest = self.run.snapshots.newest()
        if newest is None:
            return
        path, content = newest
        state = content["state"]
        self.learner.restore(state["learner"])
        self.progress.restore(state["progress"])
        restore_random_state(state["random"])
        self._adopt_best()
        self.run.write_history(self.progress.rows[: -1 if self.progress.unscored else None])
        log.info("continuing at step %d from %s", self.learner.step, path.name)
        if self.progress.unscored:
            self._validate()

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of the training, in all its processes."""
        return self.progress.total_s + time.perf_counter() - self.started

    def _adopt_best(self) -> None:
        """Take over a best checkpoint of a validation later than the saved state."""
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
            if progress.batch % self.learner.optimizer_step.check_every == 0:
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
