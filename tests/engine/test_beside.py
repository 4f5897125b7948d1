"""A training whose validation runs beside the next epoch is the one whose validation does not."""

from __future__ import annotations

import pytest

from roadex.engine.distributed import Group
from roadex.engine.learner import Learner
from roadex.engine.signals import StopSignals
from roadex.engine.training import fit
from roadex.errors import Preempted
from roadex.runs.folder import RunFolder
from tests.config.test_composition import train_config
from tests.support.trainings import outcome
from tests.support.worlds import write_folder

TINY = [
    "model.width=8", "model.blocks=1", "model.head_width=4", "model.depth=1", "model.stacks=1",
    "dataset=folder", "dataset.gsd=1", "dataset.crop=32", "dataset.workers=1", "trainer.epochs=4",
    "trainer.batch_size=4", "trainer.overlays=0", "trainer.save_steps=2", "trainer.ema=0.5",
    "trainer.patience=2", "trainer.monitor=apls", "tracking.mode=disabled",
]  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Trains in this process, stopped as `interrupt` says at a step, and started again."""
    root = tmp_path_factory.mktemp("beside")
    write_folder(root, 16)
    places = [f"dataset.images={root}/images", f"dataset.masks={root}/masks"]
    lists = root / "lists"
    lists.mkdir()
    for split, tiles in {
        "train": range(9),
        "validation": range(9, 14),
        "test": range(14, 16),
    }.items():
        (lists / f"{split}.txt").write_text("".join(f"tile{tile:02d}\n" for tile in tiles))

    def train(name: str, scorers: int, stop_at: int = 0, interrupt=None):
        config = train_config(
            *TINY, *places, f"dataset.splits.lists={lists}", f"dataset.cache={root}/cache",
            f"trainer.scorers={scorers}",
        )  # fmt: skip
        run, stop, learn = RunFolder(root / name, config), StopSignals(), Learner.learn

        def learn_or_stop(self, batch):
            losses = learn(self, batch)
            if self.step == stop_at:
                interrupt(stop)
            return losses

        with pytest.MonkeyPatch.context() as patch:
            if interrupt is not None:
                patch.setattr(Learner, "learn", learn_or_stop)
                with pytest.raises((Preempted, KeyboardInterrupt)):
                    fit(config, run, stop, Group())
                patch.setattr(Learner, "learn", learn)
            fit(config, run, StopSignals(), Group())
        return outcome(run.path)

    return train


def asked(stop: StopSignals) -> None:
    """As by a signal: the training leaves after the step, saved."""
    stop.asked = "SIGTERM"


def killed(stop: StopSignals) -> None:
    """Nothing more is saved."""
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def plain(trained):
    """The outcome of a training that waits for each validation."""
    found = trained("plain", 0)
    assert len(found["history"]) >= 3
    return found


def test_it_ends_with_the_same_weights_history_and_scores(trained, plain):
    assert trained("beside", 1) == plain


@pytest.mark.parametrize(
    ("interrupt", "step"),
    [
        (asked, 3),
        (killed, 4),
        pytest.param(asked, 4, marks=pytest.mark.slow),
        pytest.param(killed, 3, marks=pytest.mark.slow),
    ],
)
def test_it_does_so_when_it_is_left_while_scores_are_due(trained, plain, interrupt, step):
    """The first step after an epoch, and one after which a state was saved."""
    assert trained(f"{interrupt.__name__}{step}", 1, step, interrupt) == plain
