"""A configuration of somebody else runs nothing."""

from __future__ import annotations

import pytest

from roadex.command.foreign import check_configuration_file
from roadex.config.schemas import restore_training
from roadex.errors import RoadexError


@pytest.mark.parametrize(
    "block", ["hydra:\n  launcher:\n    _target_: torch.load", "defaults: [x]"]
)
def test_hydras_own_blocks_are_refused(tmp_path, block):
    (tmp_path / "config.yaml").write_text(f"seed: 1\n{block}\n")
    with pytest.raises(RoadexError, match="could run other programs"):
        check_configuration_file(str(tmp_path), "config")


@pytest.mark.parametrize("content", [b"", b"- a list", b"\xff\xfe", b"{broken"])
def test_a_damaged_configuration_is_one_line(tmp_path, content):
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(RoadexError, match=r"config.yaml (is no readable YAML|holds no settings)"):
        check_configuration_file(str(tmp_path), "config")


def test_settings_alone_are_taken(tmp_path):
    (tmp_path / "config.yaml").write_text("seed: 1\n")
    check_configuration_file(str(tmp_path), "config")
    check_configuration_file(None, None)


def test_references_in_a_checkpoints_settings_are_refused():
    with pytest.raises(RoadexError, match="refers to something else"):
        restore_training({"name": "${oc.env:HOME}"}, "best.pt")
