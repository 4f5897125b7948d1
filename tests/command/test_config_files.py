"""A configuration of somebody else runs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from roadex.command.config_files import check_configuration_files
from roadex.config.schemas import restore_training
from roadex.errors import RoadexError

LAUNCHER = "launcher:\n    _target_: subprocess.check_call\n    args: [touch, {0}/caught]\n"


def check(folder, name=None):
    check_configuration_files(str(folder), name, None)


@pytest.mark.parametrize(
    "block", ["hydra:\n  launcher:\n    _target_: torch.load", "defaults: [x]"]
)
def test_hydras_own_blocks_are_refused(tmp_path, block):
    (tmp_path / "config.yaml").write_text(f"seed: 1\n{block}\n")
    with pytest.raises(RoadexError, match="could run other programs"):
        check(tmp_path, "config")


@pytest.mark.parametrize(
    "content",
    [
        "# @package hydra.launcher\n_target_: torch.load\n",
        "# @package _global_\nhydra:\n  launcher:\n    _target_: torch.load\n",
        "# @package _global_\nhydra.launcher:\n  _target_: torch.load\n",
        "# @package _global_\ndefaults:\n  - override /hydra/launcher: mine\n",
        "defaults:\n  - /model/other@hydra.launcher\n",
    ],
)
def test_parts_that_reach_hydra_are_refused(tmp_path, content):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text(content)
    with pytest.raises(RoadexError, match=r"mine.yaml: its .* could run other programs"):
        check(tmp_path)


def test_the_command_runs_nothing_of_a_folder_of_others(tmp_path):
    (tmp_path / "mine.yaml").write_text("hydra:\n  " + LAUNCHER.format(tmp_path))
    for option in ("--config-dir", "--config-path"):
        command = ["-m", "roadex.score", option, str(tmp_path), "--config-name", "mine"]
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
        assert "mine.yaml: its block" in done.stderr or "use --config-dir" in done.stderr
    assert not (tmp_path / "caught").exists()


@pytest.mark.parametrize("content", [b"", b"- a list", b"\xff\xfe", b"{broken"])
def test_a_damaged_configuration_is_one_line(tmp_path, content):
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(RoadexError, match=r"config.yaml (is no readable YAML|holds no settings)"):
        check(tmp_path, "config")


def test_settings_alone_are_taken(tmp_path):
    (tmp_path / "config.yaml").write_text("seed: 1\n")
    (tmp_path / "hydra" / "launcher").mkdir(parents=True)
    (tmp_path / "hydra" / "launcher" / "ours.yaml").write_text("_target_: some.Launcher\n")
    (tmp_path / "broken.yaml").write_text("{")
    check(tmp_path, "config")
    check_configuration_files(None, None, None)


def test_references_in_a_checkpoints_settings_are_refused():
    with pytest.raises(RoadexError, match="refers to something else"):
        restore_training({"name": "${oc.env:HOME}"}, "best.pt")
