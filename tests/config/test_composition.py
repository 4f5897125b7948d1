"""Every configuration file composes, from wherever the command is called."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from roadex.command.frame import typed
from roadex.command.help import group_choices
from roadex.config.paths import config_dir
from roadex.config.schemas import restore_training, to_plain
from roadex.config.train import TrainConfig

GROUPS = (
    "model",
    "backbone",
    "loss",
    "optimizer",
    "scheduler",
    "augment",
    "graph",
    "apls",
    "trainer",
    "tracking",
)
CHOICES = [f"{group}={name}" for group in GROUPS for name in group_choices(group)]


def train_config(*overrides: str) -> TrainConfig:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        return typed(compose("train", list(overrides)))


SPACES = sorted(path for path in (config_dir() / "space").glob("*.yaml"))


@pytest.mark.parametrize("space", SPACES, ids=[path.stem for path in SPACES])
def test_every_search_space_has_settings_of_a_training_and_values_that_they_take(space):
    for ends in (0, -1):
        values = {
            key: (spec.get("choices") or [spec.get("low"), spec.get("high")])[ends]
            for key, spec in yaml.safe_load(space.read_text()).items()
        }
        train_config("model.paths=true", *(f"{key}={value}" for key, value in values.items()))


@pytest.mark.parametrize("override", CHOICES)
def test_every_choice_of_every_group_composes(override):
    assert isinstance(train_config(override), TrainConfig)


def test_experiment_wins_over_the_defaults_and_the_command_line_over_both():
    assert train_config("experiment=quickstart").model.width == 32
    assert train_config("experiment=quickstart", "model.width=24").model.width == 24


def test_settings_survive_the_round_trip_through_a_checkpoint():
    config = train_config("backbone=timm", "scheduler=cosine", "model.global_aware=spatial")
    assert restore_training(to_plain(config), "test") == config


def test_configuration_is_found_by_an_absolute_path():
    assert config_dir().is_absolute() and (config_dir() / "train.yaml").is_file()


def test_configuration_of_another_folder_can_be_named(monkeypatch):
    monkeypatch.setenv("ROADEX_CONF", str(Path.home()))
    assert config_dir() == Path.home().resolve()


def test_the_extra_dataset_of_0_1_0_is_one_of_several_now():
    plain = to_plain(train_config())
    del plain["datasets"]
    plain["extra"] = {**plain["dataset"], "train_tiles": 3}
    config = restore_training(plain, "old.pt")
    extra = config.datasets["extra"]
    assert extra.train_tiles == 3 and extra.use == ["train"] and not extra.resample
