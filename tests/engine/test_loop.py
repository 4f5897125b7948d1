"""The loop in one process: interrupted after any step it continues to the same bits."""

from __future__ import annotations

import logging
import multiprocessing
from dataclasses import replace

import numpy as np
import pytest
import torch

from roadex.data.augment import Augmentation
from roadex.data.crops import CropDataset, DrawSampler, crop_loader
from roadex.data.prepare import prepare
from roadex.engine.batches import Batches
from roadex.engine.before_training import find_lr, shortest
from roadex.engine.distributed import Group
from roadex.engine.signals import StopSignals
from roadex.engine.training import fit
from roadex.errors import Preempted, RoadexError
from roadex.runs.folder import RunFolder
from tests.config.test_composition import train_config
from tests.support.trainings import TINY, outcome, snapshots
from tests.support.worlds import write_folder


class LeaveAfter(StopSignals):
    """A signal that has come when the training asks the n-th time.

    It asks once after each step, and twice around what it may leave: the data and a validation.
    """

    def __init__(self, times: int) -> None:
        self.times = times
        super().__init__()

    @property
    def asked(self) -> str:
        self.times -= 1
        return "SIGTERM" if self.times <= 0 else ""

    @asked.setter
    def asked(self, value: str) -> None:
        assert not value


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Two epochs of two steps, with all that has a state of its own."""
    folder = tmp_path_factory.mktemp("tiny")
    write_folder(folder, 12, size=72)
    paths = [f"dataset.{kind}={folder}/{kind}" for kind in ("images", "masks")]
    cache = f"dataset.cache={folder}/cache"
    return train_config(
        *TINY,
        *paths,
        cache,
        "dataset.splits.rule=ranked",
        "model.stacks=1",
        "trainer.epochs=2",
        "trainer.keep=9",
    )


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """The outcome of a training that nothing disturbed."""
    return trained(config, tmp_path_factory.mktemp("whole"))


def trained(config, folder, stop=None):
    fit(config, RunFolder(folder, config), stop or StopSignals(), Group())
    return outcome(folder)


def test_left_again_and_again_it_goes_on_to_the_same_bits(config, whole, tmp_path):
    """Left after each step, and once when a validation begins."""
    places = []
    for checks in (5, 5, 5, 7, 5):
        with pytest.raises(Preempted):
            trained(config, tmp_path, LeaveAfter(checks))
        places.append(snapshots(tmp_path)[-1].name[9:23])
        torch.manual_seed(1)  # as in a new process
    wanted = ((1, 1), (1, 2), (2, 0), (2, 1), (2, 2))
    assert places == [f"{epoch}-batch-00000{batch}" for epoch, batch in wanted]
    assert trained(config, tmp_path) == whole


def test_a_damaged_checkpoint_is_reported_and_the_one_before_used(config, whole, tmp_path, caplog):
    with pytest.raises(Preempted):
        trained(config, tmp_path, LeaveAfter(7))
    newest = snapshots(tmp_path)[-1]
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    with caplog.at_level(logging.INFO):
        assert trained(config, tmp_path) == whole
    assert f"{newest} is damaged" in caplog.text and "continuing at step" in caplog.text


def test_only_the_last_few_checkpoints_are_kept(config, tmp_path):
    config = replace(config, trainer=replace(config.trainer, keep=2))
    with pytest.raises(Preempted):
        trained(config, tmp_path, LeaveAfter(9))
    assert len(snapshots(tmp_path)) == 2


def test_a_finished_run_keeps_no_state(config, tmp_path):
    trained(shortest(config), tmp_path)
    assert not (tmp_path / "checkpoints" / "resume").exists()
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == ["best.pt", "last.pt"]


def test_a_loss_that_is_not_finite_leaves_its_batch_and_the_last_good_state(config, tmp_path):
    config = replace(config, optimizer=replace(config.optimizer, lr=1e38))
    with pytest.raises(RoadexError, match=r"not finite at step 1: .*bad_batch_step_000001.npz"):
        trained(config, tmp_path)
    with np.load(tmp_path / "bad_batch_step_000001.npz") as batch:
        assert batch["image"].shape == (4, 3, 64, 64) and batch["draws"].tolist() == [4, 5, 6, 7]
    assert [path.name[:23] for path in snapshots(tmp_path)] == ["epoch-0001-batch-000001"]


def test_a_tile_that_vanishes_is_named_and_its_return_continues(config, whole, tmp_path):
    dataset = prepare(config.dataset, 5)
    path = dataset.tile_folder(dataset.splits["train"][3]) / "image.npy"
    hidden = path.with_suffix(".hidden")
    path.rename(hidden)
    with pytest.raises(RoadexError, match=rf"{path} is gone or damaged: remove the folder"):
        trained(config, tmp_path)
    assert snapshots(tmp_path)
    hidden.rename(path)
    assert trained(config, tmp_path) == whole


def test_a_loading_process_that_is_killed_is_replaced(config, caplog):
    dataset = prepare(config.dataset, 5)
    crops = CropDataset(dataset, 64, Augmentation(config.augment), seed=0)
    batches = Batches(lambda: crop_loader(crops, 2, 1, pin=False))
    found = []
    for batch in batches.of_epoch(1, 0):
        if len(found) == 1:
            for process in multiprocessing.active_children():
                process.kill()
        found.append(batch["image"])
    assert "a process that loads crops died" in caplog.text
    wanted = list(Batches(lambda: crop_loader(crops, 2, 0, pin=False)).of_epoch(1, 0))
    assert len(found) == len(wanted) == len(crops) // 2
    assert all(torch.equal(a, b["image"]) for a, b in zip(found, wanted, strict=True))


def test_memory_that_is_too_small_says_what_to_set(config, tmp_path, monkeypatch):
    def fail(self, batch):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr("roadex.engine.learner.Learner.learn", fail)
    with pytest.raises(RoadexError, match=r"out of memory: lower trainer.batch_size"):
        trained(config, tmp_path)


def test_overfitting_repeats_the_first_batches():
    sampler = DrawSampler(100, 4, only=2)
    passes = []
    for sampler.epoch in range(2):
        passes.append(list(sampler))
    assert passes[0] == passes[1] == [[0, 1, 2, 3], [4, 5, 6, 7]] and len(sampler) == 2


def test_the_range_test_finds_a_rate_that_trains(config, tmp_path):
    config = replace(config, trainer=replace(config.trainer, find_lr=60))
    suggested = find_lr(RunFolder(tmp_path, config), StopSignals(), Group())
    rows = (tmp_path / "lr_finder.csv").read_text().splitlines()
    assert rows[1].startswith("1e-07") and 20 < len(rows) <= 61
    assert 1e-5 < suggested < 0.2 and (tmp_path / "lr_finder.png").stat().st_size > 5000
