"""Every file of conf/experiment composes, and its model learns from a batch of small tiles."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
import yaml
from hydra import compose, initialize_config_dir

from roadex.command.frame import typed
from roadex.command.help import choices_in
from roadex.config.dataset import FolderConfig, SplitConfig
from roadex.config.paths import config_dir
from roadex.config.train import TrainConfig
from roadex.data.augment import Augmentation
from roadex.data.crops import CropDataset, crop_loader
from roadex.data.prepare import prepare
from roadex.engine.device import pick_device
from roadex.engine.learner import build_learner
from tests.support.worlds import write_folder

FOLDER = config_dir() / "experiment"
NAMES = choices_in(FOLDER)
CROP = 64


def settings_of(name: str, *overrides: str) -> TrainConfig:
    """The settings of an experiment, with the folders that its command line leaves to the user."""
    text = (FOLDER / f"{name}.yaml").read_text()
    needed = [f"{key}=x" for key in sorted(set(re.findall(r"(dataset\.\w+)=DIR", text)))]
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return typed(compose("train", [f"experiment={name}", *needed, *overrides]))


def swept(name: str) -> list[list[str]]:
    """The overrides of each job of an ablation, less the seed; one empty list for a recipe."""
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    params = content.get("hydra", {}).get("sweeper", {}).get("params", {})
    jobs = [[f"{key}={value}"] for key, values in params.items() for value in values.split(",")]
    return jobs or [[]]


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    root = tmp_path_factory.mktemp("tiles")
    write_folder(root, 12, size=CROP)
    splits = SplitConfig(rule="ranked", train=0.8, validation=0.1, test=0.1)
    cache = str(root / "cache")
    return FolderConfig(raw=str(root), crop=CROP, splits=splits, cache=cache, workers=1)


@pytest.mark.parametrize("name", NAMES)
def test_experiment_says_its_command_line(name):
    text = (FOLDER / f"{name}.yaml").read_text()
    sweep = "-m " if name.startswith("ablation/") else ""
    assert f"python -m roadex.train {sweep}experiment={name}" in text
    assert settings_of(name).name == name.removeprefix("ablation/")


JOBS = [(name, job) for name in NAMES for job in swept(name)]


@pytest.mark.parametrize(("name", "job"), JOBS, ids=[" ".join([n, *j]) for n, j in JOBS])
def test_experiment_learns_from_one_batch(name, job, tiles):
    config = settings_of(name, *job)
    labels = config.dataset.labels
    config = replace(config, dataset=replace(tiles, labels=labels), datasets={}, init=None)
    config.trainer = replace(config.trainer, batch_size=2, device="cpu")
    less = {"width": 16, "blocks": 1}  # the same parts, in less time
    less = {key: value for key, value in less.items() if hasattr(config.model, key)}
    config.model = replace(config.model, **less)
    dataset = prepare(config.dataset, config.model.connectivity_classes, lambda line: None)
    directions = config.model.orientation_bins > 0
    augmentation, roads = Augmentation(config.augment), config.model.paths
    crops = CropDataset(dataset, CROP, augmentation, config.seed, directions, roads)
    batch = next(iter(crop_loader(crops, batch_size=2, workers=0, pin=False)))
    learner = build_learner(config, dataset, pick_device("cpu"), epoch_steps=1)
    before = [value.clone() for value in learner.model.parameters()]
    losses = learner.learn(batch)
    assert all(math.isfinite(float(value)) for value in losses.values())
    after = list(learner.model.parameters())
    assert not all(old.equal(new) for old, new in zip(before, after, strict=True))


def test_ablations_sweep_more_than_one_value():
    assert all(len(swept(name)) > 1 for name in NAMES if name.startswith("ablation/"))
