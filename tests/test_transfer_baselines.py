"""The floor under a transferred model: exact where brightness decides, chosen on validation."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.support.worlds import write_folder

SCRIPT = ROOT / "scripts" / "transfer_baselines.py"


def run(*arguments):
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture
def folders(tmp_path):
    """Bright streets on dark ground, and lists that divide them."""
    images, masks = write_folder(tmp_path, 9)
    for split, numbers in (("train", range(3)), ("validation", range(3, 6)), ("test", range(6, 9))):
        (tmp_path / f"{split}.txt").write_text("\n".join(f"tile{n:02d}" for n in numbers))
    return [f"images={images}", f"masks={masks}", f"lists={tmp_path}"]


def test_brightness_finds_bright_streets_and_chance_does_not(folders, tmp_path):
    done = run(*folders, f"out={tmp_path / 'scores.json'}")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found["n_scored"] == found["n_total"] == 3
    scores = found["test"]
    assert scores["brighter than a level"]["f1"] > 0.99
    assert scores["between two levels"]["f1"] > 0.99
    share = scores["everything is road"]["precision"]
    assert scores["darker than a level"]["f1"] == pytest.approx(2 * share / (1 + share), rel=0.2)
    assert scores["chance, at the road share of validation"]["precision"] == pytest.approx(
        share, rel=0.05
    )


def test_missing_folder_is_one_line(tmp_path):
    done = run(f"images={tmp_path / 'none'}", f"masks={tmp_path / 'none'}")
    assert done.returncode == 2 and "there is no such folder" in done.stderr
    assert done.stderr.count("\n") == 1
