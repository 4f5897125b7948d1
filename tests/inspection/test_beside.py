"""Two datasets side by side: one scale, one measure, and clear refusals."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from roadex.errors import RoadexError
from roadex.inspection.gallery import measures, others
from roadex.rasters.pictures import write_image
from tests.conftest import ROOT
from tests.support.worlds import write_folder


def test_command_writes_a_page_of_pairs_with_what_is_measured_on_both(tmp_path):
    images, masks = write_folder(tmp_path, 12)
    rng = np.random.default_rng(0)
    for name in "ab":
        pixels = rng.integers(0, 256, (200, 160, 3)).astype(np.uint8)
        write_image(tmp_path / "other" / f"{name}.png", pixels)
    settings = [f"dataset.images={images}", f"dataset.masks={masks}", "dataset.workers=1",
                f"dataset.cache={tmp_path / 'c'}", "dataset.splits.rule=ranked", "dataset.gsd=1",
                f"beside={tmp_path / 'other'}", "beside_gsd=0.5",
                f"out={tmp_path / 'page'}"]  # fmt: skip
    command = [sys.executable, "-m", "roadex.inspect", "dataset=folder", "dataset.gsd=1", *settings]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page" / "beside.html").read_text()
    assert page.count("<article>") == 2 and page.count("data:image/jpeg;base64,") == 4
    assert "metres per pixel</td><td>1.0" in page and "crops</td><td>12 | 2" in page
    assert "http" not in page, "the page needs nothing but itself"


def test_measures_tell_what_differs():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 1)).astype(np.uint8)
    grey = np.repeat(noise, 3, axis=2)
    flat = np.full((64, 64, 3), (200, 100, 100), np.uint8)
    bright, contrast, colour, fine, _ = measures(grey)
    assert bright == pytest.approx(127.5, abs=5) and contrast > 60 and fine > 20 and colour == 0
    assert measures(flat) == pytest.approx([400 / 3, 0, 100, 0, 0], abs=0.01)


def test_missing_scale_and_empty_folder_are_refused(tmp_path):
    with pytest.raises(RoadexError, match="beside_gsd is needed"):
        others(str(tmp_path), None)
    with pytest.raises(RoadexError, match="no image in that folder"):
        others(str(tmp_path), 0.5)
