"""Memory and time of large images."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

GIB = 1 << 30


def predicted(side: int, folder) -> dict:
    """What tests/support/big_image.py says of an image of that side."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.support.big_image", str(side), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    shutil.rmtree(folder)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_20000_pixels_a_side_fit_in_three_gigabytes(tmp_path):
    found = predicted(20_000, tmp_path / "large")
    assert found["peak_bytes"] < 3 * GIB
    assert found["road_km"] > 1000 and found["area_km2"] == pytest.approx(100)


@pytest.mark.slow
def test_time_and_memory_grow_with_the_area_and_no_faster(tmp_path):
    small, large = (predicted(side, tmp_path / str(side)) for side in (2500, 5000))
    assert large["processor_seconds"] < 6 * small["processor_seconds"]
    assert large["peak_bytes"] < 2 * small["peak_bytes"]
